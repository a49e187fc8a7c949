"""Views on the data of a call. Inside the server they read the host's memory column by column, so ask for no more than is
needed; in tests they are a `testing.Panel`. Columns are plain lists of floats.
"""

from __future__ import annotations

from typing import Protocol

from .errors import PluginError


class TrainingData(Protocol):
    """The history that a model is fitted on. For n series, columns are flat: series i is the slice
    `offsets[i]:offsets[i + 1]`. Missing feature values are NaN, targets are finite.
    """

    def series_count(self) -> int:
        """Number of series, at least 1."""

    def offsets(self) -> list[int]:
        """Row offsets, one more than series."""

    def starts(self) -> list[int]:
        """First day of every series, in days since 1970-01-01."""

    def days(self) -> list[int]:
        """Day of every row."""

    def target(self) -> list[float]:
        """Units sold on every row."""

    def target_of(self, series: int) -> list[float]:
        """Units sold of one series; empty when there is no such series."""

    def target_tail(self, series: int, count: int) -> list[float]:
        """The last `count` values of one series, oldest first; all when it has fewer."""

    def feature_names(self) -> list[str]:
        """Names of the feature columns."""

    def feature(self, column: int) -> list[float]:
        """One feature column over all rows; empty when there is no such column."""

    def seed(self) -> int:
        """Seed for whatever is random in the model."""


class FutureData(Protocol):
    """The days to forecast, with the features that are known for them. Row `series * horizon + step`."""

    def series_count(self) -> int:
        """Number of series, the same as in training."""

    def horizon(self) -> int:
        """Days to forecast per series, at least 1."""

    def starts(self) -> list[int]:
        """First day to forecast per series, in days since 1970-01-01."""

    def feature_names(self) -> list[str]:
        """Names of the feature columns, the same as in training."""

    def feature(self, column: int) -> list[float]:
        """One feature column, `series_count * horizon` numbers; empty when there is no such column."""


def expect_series(ahead: FutureData, fitted: int) -> None:
    """Refuses when the series are not as many as the model was fitted on: after `load` nobody has compared them."""
    asked = ahead.series_count()
    if asked != fitted:
        raise PluginError(f"fitted on {fitted} series, asked for {asked}")
