"""From a plugin's file to a component."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from . import contract
from .kinds import Plugin, config_schema, kind_of
from .sandbox import without_files_and_sockets

ENTRY = "retailcast_component"
"""The module that componentize-py starts with."""

COMPONENTIZE = "import sys, componentize_py; sys.exit(componentize_py.script())"
"""The program componentize-py, for `python -c`."""


class BuildFailed(RuntimeError):
    """componentize-py refused; the message is what it said."""


# Files are closed last, when everything is imported.
_ENTRY = """\
import {module}
from retailcast_sdk import guard
from retailcast_sdk.component.{glue} import exports

Plugin, {export} = exports({module}.{plugin})
guard.close()
"""


def build(file: Path, plugin: Plugin, output: Path) -> None:
    """Builds the component of a plugin that `source.find_plugin` found in `file`.

    Raises `TypeError` for a configuration that no schema can be written for, and for a capability that plugins of this
    kind do not have, and `BuildFailed`.
    """
    kind = kind_of(plugin)
    # Inside the component the same mistake would be a crash of Python.
    config_schema(plugin)
    boosting = "retailcast_sdk.boosting" in sys.modules
    if boosting and kind.name != "forecast-model":
        raise TypeError(f"{file} imports `retailcast_sdk.boosting`, which forecast models have, and no {kind.name} has")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        contract.write(work / "wit", kind, boosting)
        names = {"module": file.stem, "plugin": plugin.__name__}
        entry = _ENTRY.format(glue=kind.glue, export=kind.interface.capitalize(), **names)
        (work / f"{ENTRY}.py").write_text(entry)
        raw = work / "component.wasm"
        _componentize(work, file.parent.resolve(), raw)
        output.write_bytes(without_files_and_sockets(raw.read_bytes()))


def _componentize(work: Path, author: Path, output: Path) -> None:
    sdk = Path(__file__).parent.parent
    paths = [part for path in (work, author, sdk) for part in ("--python-path", str(path))]
    command = ["--wit-path", str(work / "wit"), "--world", contract.WORLD, "componentize", ENTRY]
    run = subprocess.run(
        [sys.executable, "-c", COMPONENTIZE, *command, *paths, "--output", str(output)],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0 or not output.exists():
        raise BuildFailed(f"componentize-py ended with {run.returncode}:\n{run.stdout}{run.stderr}".rstrip())
