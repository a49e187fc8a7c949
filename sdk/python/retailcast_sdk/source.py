"""Finds the model in a plugin author's file."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from .model import ForecastModel, SeriesModel


class NoModel(ValueError):
    """The file has no model, or more than one."""


def find_model(file: Path, name: str | None = None) -> type[ForecastModel] | type[SeriesModel]:
    """Imports the file and returns the model that is defined there, or the class of this name.

    Raises `NoModel`, and whatever importing the file raises.
    """
    if file.suffix != ".py" or not file.stem.isidentifier():
        raise NoModel(f"{file} is not a Python file that can be imported: its name must be an identifier and end in .py")
    if not file.is_file():
        raise NoModel(f"there is no file {file}")
    sys.path.insert(0, str(file.parent.resolve()))
    module = importlib.import_module(file.stem)
    if Path(module.__file__ or "").resolve() != file.resolve():
        raise NoModel(f"`import {file.stem}` finds {module.__file__}, not {file}; give your file another name")
    models = {
        member.__name__: member
        for member in vars(module).values()
        if isinstance(member, type)
        and issubclass(member, (ForecastModel, SeriesModel))
        and member.__module__ == module.__name__
        and not getattr(member, "__abstractmethods__", None)
    }
    if name:
        if name not in models:
            raise NoModel(f"{file} defines no model `{name}`; it defines {_listed(list(models))}")
        return models[name]
    if len(models) != 1:
        raise NoModel(f"{file} must define one model; it defines {_listed(list(models))} (choose one: {file}:CLASS)")
    return next(iter(models.values()))


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
