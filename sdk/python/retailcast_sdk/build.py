"""From a model's file to a component."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from . import config, contract
from .model import ForecastModel, SeriesModel
from .sandbox import without_files_and_sockets

ENTRY = "retailcast_component"
"""The module that componentize-py starts with."""

_COMPONENTIZE = "import sys, componentize_py; sys.exit(componentize_py.script())"


class BuildFailed(RuntimeError):
    """componentize-py refused; the message is what it said."""


def build(file: Path, model: type[ForecastModel] | type[SeriesModel], output: Path) -> None:
    """Builds the component of a model that `source.find_model` found in `file`.

    Raises `TypeError` for a configuration that no schema can be written for, and `BuildFailed`.
    """
    # Inside the component the same mistake would be a crash of Python.
    config.schema(model.Config)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        contract.write(work / "wit", boosting="retailcast_sdk.boosting" in sys.modules)
        entry = f"import {file.stem}\nfrom retailcast_sdk.component import exports\n\n"
        entry += f"Plugin, Forecaster = exports({file.stem}.{model.__name__})\n"
        (work / f"{ENTRY}.py").write_text(entry)
        raw = work / "component.wasm"
        _componentize(work, file.parent.resolve(), raw)
        output.write_bytes(without_files_and_sockets(raw.read_bytes()))


def _componentize(work: Path, author: Path, output: Path) -> None:
    sdk = Path(__file__).parent.parent
    paths = [part for path in (work, author, sdk) for part in ("--python-path", str(path))]
    command = ["--wit-path", str(work / "wit"), "--world", contract.WORLD, "componentize", ENTRY]
    run = subprocess.run(
        [sys.executable, "-c", _COMPONENTIZE, *command, *paths, "--output", str(output)],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0 or not output.exists():
        raise BuildFailed(f"componentize-py ended with {run.returncode}:\n{run.stdout}{run.stderr}".rstrip())
