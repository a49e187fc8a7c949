"""What all tests of laws need."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable

NEW_YEAR_2024 = 19_723
"""2024-01-01, a Monday, in days since 1970-01-01."""


def require(holds: bool, law: str) -> None:
    """Raises `AssertionError` with the law unless it holds."""
    # Not `assert`: pytest rewrites those of tests, and `python -O` drops them.
    if not holds:
        raise AssertionError(law)


def require_finite(values: Iterable[float], what: str) -> None:
    """Raises `AssertionError` with the first number that is not finite."""
    wrong = next((value for value in values if not math.isfinite(value)), None)
    require(wrong is None, f"{what} is {wrong}, not a finite number")


def bits(values: list[float]) -> bytes:
    """Bit for bit, so that NaN equals itself and -0 is not 0."""
    return struct.pack(f"{len(values)}d", *values)
