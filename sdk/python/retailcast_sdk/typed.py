"""Values of dataclasses as plain JSON and back, checked against the declared types.

Types: `bool`, `int`, `float`, `str`, `Literal` of strings, `list[...]`, `dict[str, ...]`, `X | None`, and dataclasses of
these. Floats come back bit for bit: JSON's numbers are written as the shortest text that reads as the same number.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from functools import cache
from typing import Any, Literal, Union


class TypeMismatch(ValueError):
    """A value is not of the declared type."""


@cache
def hints(of: type) -> dict[str, Any]:
    """The declared types of a dataclass's fields, in order, with what `Annotated` adds."""
    declared = typing.get_type_hints(of, include_extras=True)
    return {field.name: declared[field.name] for field in dataclasses.fields(of) if field.init}


def plain(value: Any) -> Any:
    """A value as what `json.dumps` writes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in hints(type(value))}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a {type(value).__name__} cannot be saved; take lists, dicts, numbers, strings and dataclasses")


def read(declared: Any, value: Any, at: str = "") -> Any:
    """The value as the declared type. `at` is where it stands, for messages. Raises `TypeMismatch`."""
    if typing.get_origin(declared) is typing.Annotated:
        declared = typing.get_args(declared)[0]
    origin, arguments = typing.get_origin(declared), typing.get_args(declared)
    if dataclasses.is_dataclass(declared):
        return _dataclass(declared, value, at)
    if origin is list and isinstance(value, list):
        return [read(arguments[0], item, f"{at}[{i}]") for i, item in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {key: read(arguments[1], item, f"{at}.{key}") for key, item in value.items()}
    if origin is Literal and value in arguments:
        return value
    if origin in (Union, types.UnionType):
        if value is None and types.NoneType in arguments:
            return None
        return read(next(argument for argument in arguments if argument is not types.NoneType), value, at)
    if declared is float and type(value) in (int, float):
        return float(value)
    # A bool is an int in Python; here it is none.
    if declared in (bool, int, str) and type(value) is declared:
        return value
    raise TypeMismatch(f"{at or 'the value'} is {value!r:.60}, not {_type_name(declared)}")


def _dataclass(declared: type, value: Any, at: str) -> Any:
    if not isinstance(value, dict):
        raise TypeMismatch(f"{at or 'the value'} is {value!r:.60}, not an object")
    expected = hints(declared)
    if unknown := sorted(value.keys() - expected.keys()):
        raise TypeMismatch(f"{at or 'the value'} has the unknown field `{unknown[0]}`")
    given = {name: read(expected[name], item, f"{at}.{name}" if at else name) for name, item in value.items()}
    try:
        return declared(**given)
    except TypeError as error:
        raise TypeMismatch(f"{at or 'the value'} lacks a field: {error}") from error


def _type_name(declared: Any) -> str:
    return declared.__name__ if isinstance(declared, type) else str(declared).replace("typing.", "")
