"""Configurations: a dataclass, from which comes the JSON Schema that the host validates against.

    @dataclass
    class Config:
        \"\"\"Configuration.\"\"\"

        window: Annotated[int, Range(2, 365), "Days over which the change is averaged."] = 28
        kind: Literal["fast", "slow"] = "slow"

The order of the fields is the order in which a configuration is hashed. The host fills in defaults and checks types and
bounds before the model sees it.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, Union

from . import typed
from .errors import InvalidConfig

C = TypeVar("C")

RESERVED = ("schema_version", "model_type")


@dataclass(frozen=True)
class Range:
    """Bounds of a number, both included. Stands in `Annotated`."""

    minimum: float | None = None
    maximum: float | None = None


def schema(config: type) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a configuration.

    Raises `TypeError` for fields that the host would refuse, or that no schema can be written for.
    """
    properties = {}
    required = []
    for field in dataclasses.fields(config):
        if field.name in RESERVED:
            raise TypeError(f"`{config.__name__}.{field.name}`: this name belongs to the host")
        properties[field.name] = _property(f"{config.__name__}.{field.name}", typed.hints(config)[field.name])
        default = _default(field)
        if default is dataclasses.MISSING:
            required.append(field.name)
        else:
            _check_default(config, field.name, default, properties[field.name])
            properties[field.name]["default"] = typed.plain(default)
    written: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": config.__name__,
        "type": "object",
        "properties": properties,
    }
    # A dataclass without a text of its own is given one by Python: its signature.
    if config.__doc__ and not config.__doc__.startswith(f"{config.__name__}("):
        written["description"] = " ".join(config.__doc__.split())
    if required:
        written["required"] = required
    return written


def parse(config: type[C], text: str) -> C:
    """Reads a configuration from JSON. Raises `InvalidConfig` when it does not fit the types."""
    try:
        return typed.read(config, json.loads(text))
    except ValueError as error:
        raise InvalidConfig(f"the configuration does not fit: {error}") from error


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _property(at: str, declared: Any) -> dict[str, Any]:
    annotations: tuple[Any, ...] = ()
    if typing.get_origin(declared) is typing.Annotated:
        declared, *rest = typing.get_args(declared)
        annotations = tuple(rest)
    written = _type(at, declared)
    for annotation in annotations:
        match annotation:
            case str():
                written["description"] = annotation
            case Range(minimum=minimum, maximum=maximum):
                written |= {"minimum": minimum} if minimum is not None else {}
                written |= {"maximum": maximum} if maximum is not None else {}
            case _:
                raise TypeError(f"`{at}`: {annotation!r} is neither a Range nor a description")
    return written


_SIMPLE = {bool: "boolean", int: "integer", float: "number", str: "string"}


def _type(at: str, declared: Any) -> dict[str, Any]:
    origin, arguments = typing.get_origin(declared), typing.get_args(declared)
    if declared in _SIMPLE:
        return {"type": _SIMPLE[declared]}
    if origin is Literal and all(isinstance(argument, str) for argument in arguments):
        return {"type": "string", "enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _property(f"{at}[]", arguments[0])}
    if origin in (Union, types.UnionType) and len(arguments) == 2 and types.NoneType in arguments:
        written = _type(at, next(argument for argument in arguments if argument is not types.NoneType))
        written["type"] = [written["type"], "null"]
        if "enum" in written:
            written["enum"].append(None)
        return written
    raise TypeError(
        f"`{at}` is a {declared}; a configuration has bool, int, float, str, Literal of strings, list, and `| None`"
    )


def _check_default(config: type, name: str, default: Any, written: dict[str, Any]) -> None:
    at = f"the default of `{config.__name__}.{name}`"
    try:
        typed.read(typed.hints(config)[name], typed.plain(default), at)
    except typed.TypeMismatch as error:
        raise TypeError(str(error)) from error
    low, high = written.get("minimum"), written.get("maximum")
    if default is not None and (low is not None and default < low or high is not None and default > high):
        raise TypeError(f"{at} is {default}, outside its bounds {low} to {high}")
