"""Embedding providers: texts in, vectors out. The types are those of `wit/v0.1/embedding.wit`, by the same names."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from . import config as configuration
from . import typed
from .errors import InvalidConfig, PluginError, Upstream
from .info import Info


class Purpose(Enum):
    """What a text is compared as. Models that tell questions from what answers them need to know."""

    DOCUMENT = "document"
    """A part of a document."""
    QUERY = "query"
    """A question."""


@dataclass(frozen=True)
class Limits:
    """What the provider can do under one configuration."""

    max_batch: int
    """Most texts of one call, at least 1."""
    max_tokens: int | None = None
    """Tokens of a text that are read; `None` when there is no such limit."""
    remote: bool = False
    """Whether calls wait for another service instead of computing. The SDK has no HTTP: it stays `False`."""


@dataclass(frozen=True)
class OtherKey:
    """A remedy: another key. The service rejects the one that the host sent."""


@dataclass(frozen=True)
class Pause:
    """A remedy: time. The same call may succeed after a pause."""

    milliseconds: int | None = None
    """The pause that the service asked for."""


@dataclass(eq=False)
class Failure(Upstream):
    """Why there are no vectors, and what may help. Other refusals may be raised as well; nothing helps those."""

    remedy: OtherKey | Pause | None = None


class EmbeddingProvider(ABC):
    """An embedding provider."""

    info: ClassVar[Info]
    """Name, version, licence."""
    Config: ClassVar[type]
    """The configuration, a dataclass: see `config`. The host writes it from its own settings: `dimension` for all,
    `base_url` and `model` for those that ask a service. Declare what you read; any other field needs a default.
    """

    @classmethod
    @abstractmethod
    def limits(cls, config: Any) -> Limits:
        """What the provider can do under this configuration. Refuse with `InvalidConfig` a dimension that it cannot do."""

    @classmethod
    @abstractmethod
    def embed(cls, config: Any, purpose: Purpose, texts: list[str]) -> list[list[float]]:
        """One vector per text, in the order of the texts, each with as many finite numbers as the configuration asks for.
        A text without anything to compare gives zeros.
        """


def parse(config: type, text: str) -> Any:
    """Reads a provider's configuration from JSON. The host writes the same fields for all providers, so those that this
    one does not declare are none of its business. Raises `InvalidConfig`.
    """
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InvalidConfig(f"the configuration does not fit: {error}") from error
    if isinstance(given, dict):
        given = {name: value for name, value in given.items() if name in typed.hints(config)}
    return configuration.parse(config, json.dumps(given))


def flat(vectors: list[list[float]], texts: int) -> list[float]:
    """The vectors one after the other, as the contract has them. Raises `PluginError` unless there is one per text and
    all have one length: in one list of numbers nobody could tell.
    """
    if len(vectors) != texts:
        raise PluginError(f"the provider gave {len(vectors)} vectors for {texts} texts")
    lengths = sorted({len(vector) for vector in vectors})
    if len(lengths) > 1:
        raise PluginError(f"the provider gave vectors of different lengths: {lengths[0]} and {lengths[-1]}")
    return [number for vector in vectors for number in vector]
