"""Forecasts are brought together with the actual values of their days."""

import pandas as pd
import pytest

from panel import Window
from scoring import compare, score

DAYS = pd.date_range("2024-01-01", periods=10)


@pytest.fixture
def window() -> Window:
    rows = pd.DataFrame({"unique_id": "a", "ds": DAYS, "y": [1.0, 0, 0, 0, 0, 0, 0, 3.0, 4.0, 6.0]})
    return Window(rows[:8], rows[8:].reset_index(drop=True), left_out=2)


def forecaster(train: pd.DataFrame, horizon: int) -> pd.DataFrame:
    last = train["ds"].max()
    ds = pd.date_range(last, periods=horizon + 1)[1:]
    # The later day first: what counts is the day, not the position.
    return pd.DataFrame({"unique_id": "a", "ds": ds, "M": [-3.0, 5.0], "M-lo-80": -1.0, "M-hi-80": 9.0})[::-1]


def test_negative_forecasts_and_bounds_become_zero(window: Window) -> None:
    scored = compare("M", forecaster(window.train, 2), window)
    assert scored["forecast"].tolist() == [0, 5]
    assert scored["lo-80"].tolist() == [0, 0]
    assert scored["hi-80"].tolist() == [9, 9]


def test_a_day_without_forecast_is_an_error(window: Window) -> None:
    with pytest.raises(SystemExit, match="M has no forecast for 1 of 2 days"):
        compare("M", forecaster(window.train, 2)[:1], window)


def test_a_result_says_metrics_time_and_what_was_left_out(window: Window) -> None:
    outcome = score("M", forecaster, [window], horizon=2)
    result = outcome.to_json()
    assert result["wape"] == pytest.approx((4 + 1) / 10)
    assert result["bias"] == pytest.approx((-4 - 1) / 10)
    assert result["mase"] == pytest.approx(2.5 / 2)
    assert result["coverage_80"] == 1
    assert result["left_out"] == 2
    assert result["seconds"] == outcome.time.seconds > 0
