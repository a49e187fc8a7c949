"""`python -m retailcast_sdk`: builds a component, prints its schema, has it checked."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .build import BuildFailed, build
from .kinds import config_schema, kind_of
from .source import NoPlugin, find_plugin


def main(arguments: list[str] | None = None) -> int:
    """Runs one command. Exit codes as those of `retailcast`: 0 done, 2 the input does not fit, 1 anything else."""
    given = _parser().parse_args(arguments)
    try:
        return given.run(given)
    except (NoPlugin, TypeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BuildFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m retailcast_sdk", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("build", help="make a component of a plugin")
    command.add_argument("plugin", metavar="FILE", help="model.py, or model.py:CLASS when it defines several plugins")
    command.add_argument("-o", "--output", type=Path, help="file to write; without it NAME.wasm")
    command.set_defaults(run=_build)

    command = commands.add_parser("schema", help="print the JSON Schema of the configuration")
    command.add_argument("plugin", metavar="FILE", help="model.py, or model.py:CLASS when it defines several plugins")
    command.set_defaults(run=_schema)

    command = commands.add_parser("check", help="have a component checked by `retailcast plugin check`")
    command.add_argument("component", type=Path)
    command.add_argument("--retailcast", default="retailcast", help="the program; without it the one in PATH")
    command.set_defaults(run=_check)
    return parser


def _build(given: argparse.Namespace) -> int:
    file, name = _file_and_class(given.plugin)
    plugin = find_plugin(file, name)
    output = given.output or Path(f"{plugin.info.name}.wasm")
    begin = time.monotonic()
    build(file, plugin, output)
    size, seconds = output.stat().st_size / 1e6, time.monotonic() - begin
    kind, info = kind_of(plugin).name, plugin.info
    print(f"{output}: {kind} {info.name} {info.version}, {size:.1f} MB, built in {seconds:.0f} s")
    return 0


def _schema(given: argparse.Namespace) -> int:
    print(json.dumps(config_schema(find_plugin(*_file_and_class(given.plugin))), indent=2))
    return 0


def _check(given: argparse.Namespace) -> int:
    if not given.component.is_file():
        print(f"error: there is no file {given.component}", file=sys.stderr)
        return 2
    program = shutil.which(given.retailcast)
    if program is None:
        print(f"error: the program `{given.retailcast}` is not in PATH; name it: --retailcast FILE", file=sys.stderr)
        return 2
    return subprocess.run([program, "plugin", "check", str(given.component)], check=False).returncode


def _file_and_class(text: str) -> tuple[Path, str | None]:
    file, _, name = text.partition(":")
    return Path(file), name or None


if __name__ == "__main__":
    sys.exit(main())
