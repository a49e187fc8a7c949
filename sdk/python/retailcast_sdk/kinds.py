"""The four kinds of plugin: which class is of which, and what its component is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import config
from .embedding import EmbeddingProvider
from .explain import Explainer
from .model import ForecastModel, SeriesModel
from .scenario import ScenarioAdjuster

Plugin = (
    type[ForecastModel] | type[SeriesModel] | type[Explainer] | type[ScenarioAdjuster] | type[EmbeddingProvider]
)


@dataclass(frozen=True)
class Kind:
    """A kind of plugin."""

    name: str
    """As the contract has it in `plugin-kind`."""
    bases: tuple[type, ...]
    """What a plugin of this kind inherits from, one of them."""
    declares: tuple[str, ...]
    """What such a class says of itself."""
    interface: str
    """What its component exports beside the description."""
    glue: str
    """The module of `component` that makes these exports."""


KINDS = (
    Kind("forecast-model", (ForecastModel, SeriesModel), ("info", "Config"), "forecaster", "forecast"),
    Kind("explainer", (Explainer,), ("info", "models"), "explanation", "explain"),
    Kind("scenario-adjuster", (ScenarioAdjuster,), ("info",), "adjuster", "scenario"),
    Kind("embedding-provider", (EmbeddingProvider,), ("info", "Config"), "embedder", "embedding"),
)
"""All of them, in the contract's order."""

BASES = tuple(base for kind in KINDS for base in kind.bases)
"""All classes that plugins inherit from."""


def kind_of(plugin: Plugin) -> Kind:
    """The kind of a class. Raises `TypeError` when it is of none or of several, or lacks what it must declare."""
    kinds = [kind for kind in KINDS if issubclass(plugin, kind.bases)]
    if len(kinds) != 1:
        names = " and ".join(kind.name for kind in kinds) or "none"
        raise TypeError(f"`{plugin.__name__}` must be of one kind of plugin; it is of {names}")
    missing = [name for name in kinds[0].declares if not hasattr(plugin, name)]
    if missing:
        raise TypeError(f"`{plugin.__name__}` is a plugin of the kind {kinds[0].name}; it must define `{missing[0]}`")
    return kinds[0]


def config_schema(plugin: Plugin) -> dict[str, Any]:
    """The JSON Schema of a plugin's configuration; explainers and adjusters have none. Raises `TypeError` for a
    configuration that no schema can be written for.
    """
    if "Config" not in kind_of(plugin).declares:
        return {"type": "object", "properties": {}}
    return config.schema(plugin.Config)
