"""Forecasts every window with one model, scores them and writes the result file."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import metrics
from panel import Panel, Window
from timing import Stopwatch

KEY = ["unique_id", "ds"]

Forecaster = Callable[[pd.DataFrame, int], pd.DataFrame]
"""From training rows and a horizon to `unique_id`, `ds`, `NAME` and, with intervals, `NAME-lo-80`, `NAME-hi-80`, ..."""


@dataclass(frozen=True)
class Result:
    """What one model reached over all windows."""

    metrics: dict[str, float | int | None]
    time: Stopwatch
    left_out: int
    """Number of pairs of series and window that are left out."""

    def to_json(self) -> dict[str, float | int | None]:
        time = {"seconds": self.time.seconds, "cpu_seconds": self.time.cpu_seconds}
        return {**self.metrics, **time, "left_out": self.left_out}


def score(name: str, forecaster: Forecaster, windows: list[Window], horizon: int) -> Result:
    """Result of the model whose columns are called `name`; timed is the forecaster alone."""
    stopwatch = Stopwatch()
    scored, scales = [], []
    for number, window in enumerate(windows):
        with stopwatch.running():
            forecasts = forecaster(window.train, horizon)
        scored.append(compare(name, forecasts, window).assign(window=number))
        scales.append(metrics.naive_scales(window.train).assign(window=number))
    left_out = sum(window.left_out for window in windows)
    return Result(metrics.evaluate(pd.concat(scored), pd.concat(scales)), stopwatch, left_out)


def compare(name: str, forecasts: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Forecasts beside the actual values. Nothing sells less than nothing, so all forecasts are clipped at 0."""
    named = forecasts.rename(columns=lambda column: column.removeprefix(f"{name}-")).rename(columns={name: "forecast"})
    values = [column for column in named.columns if column not in KEY]
    named[values] = named[values].clip(lower=0)
    scored = window.test.merge(named, on=KEY, how="left", validate="one_to_one")
    missing = int(scored[values].isna().any(axis="columns").sum())
    if missing:
        raise SystemExit(f"{name} has no forecast for {missing} of {len(scored)} days")
    return scored


def report(panel: Panel, horizon: int, windows: int, results: dict[str, Result], out: Path | None) -> None:
    """Prints the results and, if asked, writes them."""
    models = {name: result.to_json() for name, result in results.items()}
    print(pd.DataFrame.from_dict(models, orient="index").round(4).to_string())
    if out:
        split = {"horizon": horizon, "windows": windows, "series": panel.series}
        document = {"data": panel.name, **split, "models": models}
        out.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n")
