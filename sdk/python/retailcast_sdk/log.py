"""Lines for the host's log, with the plugin's name and version and the request's id."""

from __future__ import annotations

import sys

try:
    from wit_world.imports import log as _host
except ImportError:
    # Outside the server, in tests: what componentize-py generates does not exist.
    _host = None

LEVELS = ("trace", "debug", "info", "warn", "error")


def log(level: str, message: str, **fields: object) -> None:
    """Writes one line with fields. A run may write 64 KiB. Outside the server it goes to standard error."""
    if level not in LEVELS:
        raise ValueError(f"the level `{level}` is none of {', '.join(LEVELS)}")
    texts = [(name, str(value)) for name, value in fields.items()]
    if _host is None:
        print(f"{level}: {message} {texts}", file=sys.stderr)
    else:
        _host.log(_host.Level[level.upper()], message, texts)
