"""What a model needs, as the host asks before any data is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


@dataclass(frozen=True)
class Feature:
    """A column that the host computes: a case of `feature` in `wit/v0.1/forecast.wit`, which says what each holds."""

    kind: str
    """The case's name, for example `rolling-mean`."""
    rows: int | None = None
    """Rows of a lag or window; `None` for columns that have none."""


def lag(rows: int) -> Feature:
    """Target so many rows ago, at least 1."""
    return Feature("lag", rows)


def rolling_mean(rows: int) -> Feature:
    """Mean of the last targets before the row."""
    return Feature("rolling-mean", rows)


def rolling_std(rows: int) -> Feature:
    """Standard deviation (divisor n - 1) of the last targets before the row."""
    return Feature("rolling-std", rows)


def rolling_min(rows: int) -> Feature:
    """Least of the last targets before the row."""
    return Feature("rolling-min", rows)


def rolling_max(rows: int) -> Feature:
    """Greatest of the last targets before the row."""
    return Feature("rolling-max", rows)


def rolling_sum(rows: int) -> Feature:
    """Sum of the last targets before the row."""
    return Feature("rolling-sum", rows)


DAY_OF_WEEK = Feature("day-of-week")
DOW_SIN = Feature("dow-sin")
DOW_COS = Feature("dow-cos")
MONTH = Feature("month")
MONTH_SIN = Feature("month-sin")
MONTH_COS = Feature("month-cos")
QUARTER = Feature("quarter")
YEAR = Feature("year")
IS_WEEKEND = Feature("is-weekend")
IS_MONTH_END = Feature("is-month-end")
PRICE_FACTOR = Feature("price-factor")
PROMO_ACTIVE = Feature("promo-active")
IS_HOLIDAY = Feature("is-holiday")
DAYS_SINCE_LAUNCH = Feature("days-since-launch")
STORE = Feature("store")
PRODUCT = Feature("product")
CATEGORY = Feature("category")

EXOGENOUS = (PRICE_FACTOR, PROMO_ACTIVE, IS_HOLIDAY)
"""Columns that somebody may change for a day to come."""


class ShortLags(Enum):
    """What becomes of a lag or window that would need a value after the forecast origin."""

    DIRECT = "direct"
    """It is NaN; all steps are predicted in one call."""
    RECURSIVE = "recursive"
    """The host feeds predictions back as if they had been sold, and predicts one step per call."""


@dataclass(frozen=True)
class Requirements:
    """What the model needs and can do under one configuration. Begin with `series` or `table`."""

    min_history: int
    """Least number of rows per series, at least 1."""
    features: tuple[Feature, ...] | None = None
    """The columns of the table; `None` reads the series alone."""
    short_lags: ShortLags = ShortLags.DIRECT
    across: bool = False
    """One model across all series of the panel."""
    intervals: bool = False
    """`predict` fills the interval columns."""
    exogenous: bool = False
    """Future prices, promotions or holidays change the forecast."""

    @classmethod
    def series(cls, min_history: int) -> Requirements:
        """A local model that reads the series alone."""
        return cls(min_history)

    @classmethod
    def table(
        cls, min_history: int, features: list[Feature], short_lags: ShortLags = ShortLags.DIRECT
    ) -> Requirements:
        """A local model that reads these feature columns."""
        return cls(min_history, tuple(features), short_lags, exogenous=any(f in EXOGENOUS for f in features))

    def across_series(self) -> Requirements:
        """The same needs of one model across all series."""
        return replace(self, across=True)

    def with_intervals(self) -> Requirements:
        """The same needs of a model that gives prediction intervals."""
        return replace(self, intervals=True)
