"""Explainers: what a forecast rests on. The types are those of `wit/v0.1/explain.wit`, by the same names."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

from .errors import InvalidConfig
from .info import Info


@dataclass(frozen=True)
class Subject:
    """What to explain: the forecast of the day after `as_of`."""

    store_id: int
    product_id: int
    model_type: str
    """One of those that `models` lists."""
    config: str
    """The model's configuration (JSON, by the model's own schema)."""
    as_of: int
    """Cutoff, in days since 1970-01-01: nothing later was known."""

    def parameters(self) -> dict[str, Any]:
        """The model's configuration by name; what is not there has the model's default. Raises `InvalidConfig`."""
        try:
            read = json.loads(self.config)
        except ValueError as error:
            raise InvalidConfig(f"the configuration is no JSON: {error}") from error
        if not isinstance(read, dict):
            raise InvalidConfig(f"the configuration is {self.config:.60}, not an object")
        return read


@dataclass(frozen=True)
class StockSignal:
    """Stock of the last days."""

    snapshots: int = 0
    stockouts: int = 0
    """How many of the snapshots had nothing on the shelf."""


@dataclass(frozen=True)
class PromotionSignal:
    """Promotions that touch the last days."""

    touching: int = 0
    running: int = 0
    """How many of them run on the cutoff."""


@dataclass(frozen=True)
class Holiday:
    """A holiday."""

    name: str | None
    """As the calendar calls it."""


@dataclass(frozen=True)
class Signals:
    """What is recorded beside the series; by default nothing. The window of stock and promotions ends on the cutoff."""

    window_days: int = 14
    """Days that the window reaches back from the cutoff; the day it reaches counts as well."""
    stock: StockSignal = field(default_factory=StockSignal)
    promotions: PromotionSignal = field(default_factory=PromotionSignal)
    days_since_launch: int | None = None
    """From the product's launch to the cutoff, negative before it; `None` without a launch date."""
    holiday: Holiday | None = None
    """The holiday on the day that is forecast."""


@dataclass(frozen=True)
class FittedModel:
    """The fitted model that made the forecast, and what it read for it."""

    state: bytes
    """What the model's `save` wrote."""
    feature_names: list[str]
    """The feature columns; empty for models that read the series alone."""
    features: list[float]
    """One number per column for the day that is forecast; NaN where it is missing. `explain.wit` says what categorical
    columns hold.
    """
    forecast: float
    """What the model says."""


class Method(Enum):
    """Where the numbers of an explanation come from."""

    RULE_BASED = "rule_based"
    """From the rules of the model, done again."""
    SHAP = "shap"
    """Shapley values: additive contributions of the features."""
    COMPONENT = "component"
    """Parts that the model itself adds up, such as trend and season."""


class Direction(Enum):
    """Which way a driver pushes."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    NEUTRAL = "neutral"

    @classmethod
    def of(cls, value: float) -> Direction:
        """The sign of a number."""
        if value > 0:
            return cls.POSITIVE
        return cls.NEGATIVE if value < 0 else cls.NEUTRAL


@dataclass(frozen=True)
class Driver:
    """One reason for the number."""

    name: str
    """Machine name, `[a-z][a-z0-9_]*`."""
    value: float
    """The observed value behind it."""
    contribution: float
    """Units that it adds to the forecast; 0 when it is shown for context."""
    direction: Direction
    description: str
    """For people."""


class Reason(Enum):
    """Closed list of signals. The values are as clients read them."""

    STOCKOUT_CONSTRAINED = "stockout_constrained"
    PROMOTION_OVERLAP = "promotion_overlap"
    LIFECYCLE_DECAY = "lifecycle_decay"
    HOLIDAY_EFFECT = "holiday_effect"
    TREND_SHIFT = "trend_shift"
    INSUFFICIENT_HISTORY = "insufficient_history"


class Severity(Enum):
    """How much a signal should worry."""

    INFO = "info"
    WARN = "warn"


@dataclass(frozen=True)
class ReasonCode:
    """A signal that fired."""

    code: Reason
    severity: Severity
    detail: str
    """For people."""


class Confidence(Enum):
    """How far the forecast can be trusted."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True)
class Explained:
    """An explanation. The host checks that all numbers are finite, that there is a driver, that the contributions add up
    to the forecast, and that no reason appears twice.
    """

    method: Method
    forecast: float
    """Units forecast for the day after the cutoff."""
    drivers: list[Driver]
    """The main one first."""
    reason_codes: list[ReasonCode]
    """Each code at most once."""
    confidence: Confidence
    caveats: list[str]
    """What the numbers do not say, one sentence each."""
    summary: str
    """One paragraph for people and programs that read text, at most 2000 characters."""


class Explainer(ABC):
    """An explainer."""

    info: ClassVar[Info]
    """Name, version, licence."""
    models: ClassVar[tuple[str, ...]]
    """The model types that it explains, at least one."""
    needs_fitted: ClassVar[bool] = False
    """Whether it wants the fitted model that made the forecast. The server may have to fit one for it."""

    def __init_subclass__(cls) -> None:
        """Raises `TypeError` for `models` that name none."""
        models = getattr(cls, "models", None)
        if isinstance(models, str) or (models is not None and not models):
            raise TypeError(f'`{cls.__name__}.models` is {models!r}, not a tuple of model types such as ("naive",)')

    @classmethod
    @abstractmethod
    def explain(
        cls, subject: Subject, history: list[float], signals: Signals, fitted: FittedModel | None
    ) -> Explained:
        """Explains the forecast of the day after the cutoff. `history` are the units sold up to it, oldest first, possibly
        none; `fitted` is there when `needs_fitted` says so. The contributions of the drivers must add up to the forecast.

        Refuse with `Unsupported` a model type that is not among `models`, with `NotEnoughHistory` what the model could
        not forecast, with `InvalidConfig` a configuration that makes no sense, with `ArtifactMismatch` a state that
        cannot be read.
        """
