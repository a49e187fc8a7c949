"""Fitted state as bytes: a header that tells a stranger's bytes, then JSON. No pickle: reading it would run code.

Layout: `RCP1`, the plugin's name (a length byte and that many bytes of UTF-8), the number of the state's format (four
bytes, little-endian), the state.

The header names the plugin and the format of its state, not the plugin's version: what is stored stays readable when the
plugin is updated. A plugin that changes what its state consists of raises `state_format`, and old states are refused
instead of misread.
"""

from __future__ import annotations

import json
from typing import Any

from .errors import ArtifactMismatch
from .info import Info

MAGIC = b"RCP1"


def encode(info: Info, state_format: int, plain: Any) -> bytes:
    """Writes the header and a state of lists, dicts, numbers and strings."""
    body = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    return _name_header(info) + state_format.to_bytes(4, "little") + body.encode()


def decode(info: Info, state_format: int, data: bytes) -> Any:
    """Reads what `encode` wrote for the same name and format, whatever the plugin's version was.

    Raises `ArtifactMismatch` for anything else.
    """
    header = _name_header(info)
    begin = len(header) + 4
    if not data.startswith(header) or len(data) < begin:
        raise ArtifactMismatch(f"these bytes are not a state of {info.name}")
    found = int.from_bytes(data[len(header) : begin], "little")
    if found != state_format:
        raise ArtifactMismatch(
            f"this state of {info.name} has format {found}; version {info.version} reads format {state_format}, "
            "so the model must be trained again"
        )
    body = data[begin:]
    if body != body.strip():
        raise ArtifactMismatch(f"the state of {info.name} is damaged: white space around it")
    try:
        return json.loads(body)
    except ValueError as error:
        raise ArtifactMismatch(f"the state of {info.name} is damaged: {error}") from error


def _name_header(info: Info) -> bytes:
    name = info.name.encode()
    return MAGIC + bytes([len(name)]) + name
