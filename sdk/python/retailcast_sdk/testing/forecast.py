"""Forecast models: panels in memory, and what the host relies on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from .. import config as configuration
from ..errors import ArtifactMismatch
from ..forecasts import Forecasts
from ..model import ForecastModel, SeriesModel, panel_model
from .laws import NEW_YEAR_2024, bits, require

Model = type[ForecastModel] | type[SeriesModel]


@dataclass(frozen=True)
class Panel:
    """Some series in memory: `TrainingData`. Begin with `Panel.of`."""

    values: list[list[float]]
    first_days: list[int]
    columns: dict[str, list[float]] = field(default_factory=dict)
    seed_number: int = 42

    @classmethod
    def of(cls, *series: list[float]) -> Panel:
        """Series of these values; all start on 2024-01-01, a Monday."""
        return cls([[float(value) for value in values] for values in series], [NEW_YEAR_2024] * len(series))

    def with_column(self, name: str, values: list[float]) -> Panel:
        """The same panel with one more feature column over all rows."""
        rows = sum(map(len, self.values))
        if len(values) != rows:
            raise ValueError(f"column `{name}` has {len(values)} values for {rows} rows")
        return replace(self, columns={**self.columns, name: values})

    def alone(self, series: int) -> Panel:
        """The panel of this one series."""
        offsets = self.offsets()
        rows = slice(offsets[series], offsets[series + 1])
        columns = {name: values[rows] for name, values in self.columns.items()}
        return replace(self, values=[self.values[series]], first_days=[self.first_days[series]], columns=columns)

    def future(self, horizon: int) -> Future:
        """The days after the panel, without feature columns."""
        first_days = [day + len(values) for day, values in zip(self.first_days, self.values, strict=True)]
        return Future(first_days, horizon)

    def series_count(self) -> int:
        return len(self.values)

    def offsets(self) -> list[int]:
        offsets = [0]
        for values in self.values:
            offsets.append(offsets[-1] + len(values))
        return offsets

    def starts(self) -> list[int]:
        return list(self.first_days)

    def days(self) -> list[int]:
        return [
            first + row for first, values in zip(self.first_days, self.values, strict=True) for row in range(len(values))
        ]

    def target(self) -> list[float]:
        return [value for values in self.values for value in values]

    def target_of(self, series: int) -> list[float]:
        return list(self.values[series]) if 0 <= series < len(self.values) else []

    def target_tail(self, series: int, count: int) -> list[float]:
        values = self.target_of(series)
        return values[max(0, len(values) - count) :]

    def feature_names(self) -> list[str]:
        return list(self.columns)

    def feature(self, column: int) -> list[float]:
        return list(list(self.columns.values())[column]) if 0 <= column < len(self.columns) else []

    def seed(self) -> int:
        return self.seed_number


@dataclass(frozen=True)
class Future:
    """Days to forecast, in memory: `FutureData`. Comes from `Panel.future`."""

    first_days: list[int]
    horizon_days: int
    columns: dict[str, list[float]] = field(default_factory=dict)

    def with_column(self, name: str, values: list[float]) -> Future:
        """The same with one more feature column."""
        rows = len(self.first_days) * self.horizon_days
        if len(values) != rows:
            raise ValueError(f"column `{name}` has {len(values)} values for {rows} series and steps")
        return replace(self, columns={**self.columns, name: values})

    def alone(self, series: int) -> Future:
        """The days of this one series."""
        rows = slice(series * self.horizon_days, (series + 1) * self.horizon_days)
        columns = {name: values[rows] for name, values in self.columns.items()}
        return replace(self, first_days=[self.first_days[series]], columns=columns)

    def series_count(self) -> int:
        return len(self.first_days)

    def horizon(self) -> int:
        return self.horizon_days

    def starts(self) -> list[int]:
        return list(self.first_days)

    def feature_names(self) -> list[str]:
        return list(self.columns)

    def feature(self, column: int) -> list[float]:
        return list(list(self.columns.values())[column]) if 0 <= column < len(self.columns) else []


def fit_predict(model: Model, config: dict[str, Any], panel: Panel, ahead: Future) -> Forecasts:
    """Fits and forecasts, going through `save` and `load` on the way and demanding that they change nothing.

    `config` is what a client writes, without `model_type`; defaults are filled in.
    """
    whole = panel_model(model)
    fitted = whole.fit(_complete(whole, config), panel)
    forecasts = fitted.predict(ahead)
    _same(forecasts, fitted.predict(ahead), "predicting twice gave different forecasts")
    _same(forecasts, whole.load(fitted.save()).predict(ahead), "save and load changed the forecasts")
    return forecasts


def check_laws(
    model: Model, config: dict[str, Any], panel: Panel, horizon: int, ahead: Future | None = None
) -> Forecasts:
    """Demands what the host relies on, and returns the forecasts:

    - the result has the right lengths, and finite points wherever there is no failure;
    - fitting twice gives the same forecasts, and so do predicting twice, and saving and loading;
    - a series alone is forecast as in the panel, unless the model is one across all series;
    - bytes that are no state are refused as such: cut ones, and those of a stranger.

    `ahead` is needed for models with feature columns. Raises `AssertionError` with the law that is broken.
    """
    whole, ahead = panel_model(model), ahead or panel.future(horizon)
    forecasts = fit_predict(model, config, panel, ahead)
    _well_formed(forecasts, panel.series_count(), ahead.horizon())
    _same(forecasts, fit_predict(model, config, panel, ahead), "fitting twice gave different forecasts")
    needs = whole.requirements(_complete(whole, config))
    require(bool(forecasts.levels) == needs.intervals, "the requirements say otherwise about intervals")
    if not needs.across:
        _alone_as_in_the_panel(whole, config, panel, ahead, forecasts)
    _refuses_strangers(whole, whole.fit(_complete(whole, config), panel).save())
    return forecasts


def _complete(model: type[ForecastModel], config: dict[str, Any]) -> Any:
    return configuration.parse(model.Config, json.dumps(config))


def _well_formed(f: Forecasts, series: int, horizon: int) -> None:
    require(len(f.points) == series * horizon, f"{len(f.points)} points for {series} series and {horizon} days")
    bounds = len(f.levels) * series * horizon
    require(len(f.lower) == len(f.upper) == bounds, f"{len(f.lower)} and {len(f.upper)} bounds, not {bounds}")
    failed = {failure.series for failure in f.failures}
    require(failed <= set(range(series)), f"failures of the series {failed}, of {series}")
    for at in range(series):
        points = f.points[at * horizon : (at + 1) * horizon]
        # A number less itself is 0, unless it is infinite or NaN.
        finite = all(point - point == 0 for point in points)
        require(at in failed or finite, f"series {at} has the points {points}")


def _alone_as_in_the_panel(
    model: type[ForecastModel], config: dict[str, Any], panel: Panel, ahead: Future, together: Forecasts
) -> None:
    horizon = ahead.horizon()
    failed = {failure.series for failure in together.failures}
    for at in set(range(panel.series_count())) - failed:
        alone = fit_predict(model, config, panel.alone(at), ahead.alone(at))
        expected = together.points[at * horizon : (at + 1) * horizon]
        require(bits(alone.points) == bits(expected), f"series {at} alone is forecast otherwise than in the panel")


def _refuses_strangers(model: type[ForecastModel], saved: bytes) -> None:
    for stranger in (b"", b"RCS2\x05naive", saved[: len(saved) // 2], saved[:-1], saved + b"\x00"):
        try:
            model.load(stranger)
        except ArtifactMismatch:
            continue
        raise AssertionError(f"load took {len(stranger)} bytes that save did not write: {stranger!r:.60}")


def _same(one: Forecasts, other: Forecasts, law: str) -> None:
    for column in ("points", "lower", "upper"):
        require(bits(getattr(one, column)) == bits(getattr(other, column)), law)
    require([str(e) for e in one.failures] == [str(e) for e in other.failures], law)
