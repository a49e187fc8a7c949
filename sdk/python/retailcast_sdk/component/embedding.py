"""The exports of an embedding provider."""

from __future__ import annotations

from componentize_py_types import Err
from wit_world.exports import embedder as wit

from .. import embedding as sdk
from ..errors import PluginError
from . import describing, mirrored, refusable, refusal


def exports(provider: type[sdk.EmbeddingProvider]) -> tuple[type, type]:
    """The classes `Plugin` and `Embedder` that componentize-py looks for."""

    class Embedder:
        def limits_of(self, text: str) -> wit.Limits:
            return mirrored(refusable(lambda: provider.limits(sdk.parse(provider.Config, text))), wit)

        def embed(self, text: str, purpose: wit.Purpose, texts: list[str]) -> list[float]:
            try:
                config = sdk.parse(provider.Config, text)
                return sdk.flat(provider.embed(config, mirrored(purpose, sdk), texts), len(texts))
            except PluginError as error:
                raise Err(wit.Failure(refusal(error), _remedy(error))) from error

    return describing(provider), Embedder


def _remedy(error: PluginError) -> wit.Remedy:
    match error:
        case sdk.Failure(remedy=sdk.OtherKey()):
            return wit.Remedy_OtherKey()
        case sdk.Failure(remedy=sdk.Pause(milliseconds)):
            return wit.Remedy_Pause(milliseconds)
        case _:
            return wit.Remedy_None_()
