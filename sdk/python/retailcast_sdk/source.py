"""Finds the plugin in its author's file."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

from .kinds import BASES, Plugin, kind_of


class NoPlugin(ValueError):
    """The file has no plugin, or more than one."""


def find_plugin(file: Path, name: str | None = None) -> Plugin:
    """Imports the file and returns the plugin that is defined there, or the class of this name.

    Raises `NoPlugin`, `TypeError` for a class that lacks what its kind must declare, and whatever importing the file
    raises.
    """
    plugins, defines = _defined(_import(file))
    if name:
        if name not in plugins:
            raise NoPlugin(f"{file} defines no plugin `{name}`; it defines {defines}")
        plugin = plugins[name]
    elif len(plugins) == 1:
        plugin = next(iter(plugins.values()))
    else:
        choose = f" (choose one: {file}:CLASS)" if plugins else ""
        raise NoPlugin(f"{file} must define one plugin; it defines {defines}{choose}")
    kind_of(plugin)
    return plugin


def _import(file: Path) -> ModuleType:
    if file.suffix != ".py" or not file.stem.isidentifier():
        raise NoPlugin(f"{file} is not a Python file that can be imported: its name must be an identifier and end in .py")
    if not file.is_file():
        raise NoPlugin(f"there is no file {file}")
    sys.path.insert(0, str(file.parent.resolve()))
    module = importlib.import_module(file.stem)
    if Path(module.__file__ or "").resolve() != file.resolve():
        raise NoPlugin(f"`import {file.stem}` finds {module.__file__}, not {file}; give your file another name")
    return module


def _defined(module: ModuleType) -> tuple[dict[str, Plugin], str]:
    """The plugins of a module by name, and words for them and for classes that would be plugins with some methods more."""
    plugins, unfinished = {}, []
    for member in vars(module).values():
        if isinstance(member, type) and issubclass(member, BASES) and member.__module__ == module.__name__:
            if missing := getattr(member, "__abstractmethods__", None):
                unfinished.append(f"`{member.__name__}` lacks {_listed(sorted(missing))}")
            else:
                plugins[member.__name__] = member
    return plugins, "; ".join([_listed(list(plugins)), *unfinished])


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
