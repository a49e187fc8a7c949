"""What a plugin says of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Info:
    """Name, version and licence of a plugin. Raises `ValueError` for what the host would refuse."""

    name: str
    """The model type that clients write: `[a-z][a-z0-9_]*`, at most 50 characters. It is yours for good."""
    version: str
    """`major.minor.patch`."""
    licence: str
    """SPDX expression, for example `Apache-2.0`."""
    summary: str
    """One sentence for people who choose among models."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", self.name):
            raise ValueError(f"the name `{self.name}` is not a lower-case letter and up to 49 of a-z, 0-9 and _")
        if not re.fullmatch(r"\d+\.\d+\.\d+([-+].+)?", self.version):
            raise ValueError(f"the version `{self.version}` is not of the form major.minor.patch")
