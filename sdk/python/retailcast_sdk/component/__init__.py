"""The glue between a plugin's class and the exports of a component: what all kinds share, and a module per kind. Exists only
inside a component: `build` writes the module that calls `exports` of one of them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from enum import Enum
from types import ModuleType
from typing import Any, TypeVar

from componentize_py_types import Err
from wit_world.imports import types as wit

from ..errors import PluginError
from ..kinds import Plugin, config_schema, kind_of

T = TypeVar("T")


def describing(plugin: Plugin) -> type:
    """The class `Plugin` that componentize-py looks for."""
    info = plugin.info
    kind = wit.PluginKind[_case(kind_of(plugin).name)]
    # Written once, before files are closed: a description must be the same at every call.
    schema = json.dumps(config_schema(plugin))

    class Described:
        def describe(self) -> wit.Description:
            return wit.Description(info.name, info.version, kind, info.licence, info.summary, schema)

    return Described


def refusable(call: Callable[[], T]) -> T:
    """A refusal as the contract's error. Any other exception is a mistake in the plugin: it crashes the call, and the
    client and the log get the traceback.
    """
    try:
        return call()
    except PluginError as error:
        raise Err(refusal(error)) from error


def refusal(error: PluginError) -> wit.PluginError:
    """The contract's error of an exception."""
    return wit.PluginError(wit.ErrorCode[_case(error.code)], error.message, error.series, error.details)


def mirrored(value: Any, module: ModuleType) -> Any:
    """The same value in the types of another module: every dataclass and enum as the one of its name there. The SDK's types
    and those that componentize-py makes of the contract have the same names, fields and cases.
    """
    if isinstance(value, Enum):
        return getattr(module, type(value).__name__)[value.name]
    if dataclasses.is_dataclass(value):
        fields = {field.name: mirrored(getattr(value, field.name), module) for field in dataclasses.fields(value)}
        return getattr(module, type(value).__name__)(**fields)
    if isinstance(value, (list, tuple)):
        return [mirrored(item, module) for item in value]
    return value


def _case(name: str) -> str:
    """A name of the contract as componentize-py writes the case of an enum."""
    return name.upper().replace("-", "_")
