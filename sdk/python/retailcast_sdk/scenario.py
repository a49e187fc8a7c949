"""Scenario adjusters: a baseline forecast in, the forecast under a planner's assumptions out. The types are those of
`wit/v0.1/scenario.wit`, by the same names. Days are counted from 1970-01-01.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from .info import Info


@dataclass(frozen=True)
class Window:
    """Days from `first` to `last`, both included. May lie outside the horizon in part or as a whole."""

    first: int
    last: int

    def covers(self, day: int) -> bool:
        """Whether the day lies in it."""
        return self.first <= day <= self.last


@dataclass(frozen=True)
class PriceChange:
    """A relative change of the price."""

    change: float
    """Fraction of the price: -0.15 is 15 % cheaper. From -0.9 to 5."""
    during: Window


class PromotionKind(Enum):
    """The mechanic of a promotion."""

    PCT_OFF = "pct_off"
    """Percent off."""
    BOGO = "bogo"
    """Buy one, get one."""
    BUNDLE = "bundle"
    """Several products for one price."""
    MARKDOWN = "markdown"
    """Permanently cheaper, to clear stock."""


@dataclass(frozen=True)
class Promotion:
    """One promotion."""

    kind: PromotionKind
    during: Window


class LifeCycleStage(Enum):
    """Stages of a product's life."""

    LAUNCH = "launch"
    GROWTH = "growth"
    MATURITY = "maturity"
    DECLINE = "decline"


@dataclass(frozen=True)
class Assumptions:
    """The assumptions that can change demand. None of them means that nothing changes."""

    price: PriceChange | None = None
    promotion: Promotion | None = None
    holidays: list[int] = field(default_factory=list)
    """Days taken as holidays, in no particular order, possibly repeated."""
    stage: LifeCycleStage | None = None
    """Of the whole horizon."""


@dataclass(frozen=True)
class Interval:
    """Interval bounds of one level, a number per day."""

    level: float
    """Between 0 and 1: 0.8 covers the middle 80 %."""
    lower: list[float]
    upper: list[float]


@dataclass(frozen=True)
class Baseline:
    """A forecast of consecutive days without assumptions. All numbers are finite; points may be negative."""

    start: int
    """Its first day."""
    points: list[float]
    """Units per day, at least one day."""
    intervals: list[Interval] = field(default_factory=list)
    """Narrowest first; each has as many bounds as there are points. Empty when the model gives none."""

    def days(self) -> range:
        """The day of every point."""
        return range(self.start, self.start + len(self.points))


@dataclass(frozen=True)
class Adjusted:
    """The forecast under the assumptions; as many days, and the same levels in the same order, as the baseline."""

    factors: list[float]
    """What every day was multiplied by; finite, at least 0."""
    points: list[float]
    """Units per day; finite, at least 0."""
    intervals: list[Interval]
    """Every one with its lower bound at most its upper bound, and both at least 0."""


class ScenarioAdjuster(ABC):
    """A scenario adjuster."""

    info: ClassVar[Info]
    """Name, version, licence."""

    @classmethod
    @abstractmethod
    def adjust(cls, assumptions: Assumptions, baseline: Baseline) -> Adjusted:
        """The forecast under the assumptions. The same call must give the same numbers again."""


def multiply(baseline: Baseline, factors: list[float]) -> Adjusted:
    """The baseline with every day, and the bounds of its intervals, multiplied by a factor and cut at 0: what an adjuster
    does that knows a factor per day, each at least 0. Raises `ValueError` unless there are as many factors as days.
    """

    def scaled(values: list[float]) -> list[float]:
        return [max(value * factor, 0.0) for value, factor in zip(values, factors, strict=True)]

    intervals = [Interval(level.level, scaled(level.lower), scaled(level.upper)) for level in baseline.intervals]
    return Adjusted(factors, scaled(baseline.points), intervals)
