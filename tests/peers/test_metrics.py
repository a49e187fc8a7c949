"""Metrics against numbers computed by hand."""

import math

import pandas as pd
import pytest

import metrics


@pytest.fixture
def scored() -> pd.DataFrame:
    """Two windows of two days of series `a`, one of `b`. Errors f - y: +2, -1; 0, +3; -4, 0."""
    return pd.DataFrame(
        {
            "window": [0, 0, 1, 1, 0, 0],
            "unique_id": ["a", "a", "a", "a", "b", "b"],
            "y": [4.0, 6.0, 5.0, 0.0, 10.0, 0.0],
            "forecast": [6.0, 5.0, 5.0, 3.0, 6.0, 0.0],
            "lo-80": [4.0, 4.5, 3.0, 1.0, 5.0, 0.0],
            "hi-80": [8.0, 5.5, 7.0, 5.0, 7.0, 2.0],
        }
    )


def test_wape_pools_all_series_and_windows(scored: pd.DataFrame) -> None:
    assert metrics.wape(scored) == pytest.approx((2 + 1 + 0 + 3 + 4 + 0) / 25)


def test_bias_is_positive_where_the_forecast_is_too_high(scored: pd.DataFrame) -> None:
    assert metrics.bias(scored) == pytest.approx((2 - 1 + 0 + 3 - 4 + 0) / 25)
    assert metrics.bias(scored.assign(forecast=scored["y"] + 1)) == pytest.approx(6 / 25)


def test_nothing_is_said_of_days_without_sales(scored: pd.DataFrame) -> None:
    unsold = scored.assign(y=0.0)
    assert metrics.wape(unsold) is None
    assert metrics.bias(unsold) is None


def test_scales_are_in_sample_errors_of_the_last_week_repeated() -> None:
    train = pd.DataFrame(
        {
            "unique_id": ["a"] * 9 + ["b"] * 8,
            "y": [1.0, 0, 0, 0, 0, 0, 0, 4.0, 1.0] + [2.0] * 8,
        }
    )
    scales = metrics.naive_scales(train).set_index("unique_id")
    assert scales.loc["a"].to_dict() == {"mae": (3 + 1) / 2, "mse": (9 + 1) / 2}
    assert scales.loc["b"].to_dict() == {"mae": 0, "mse": 0}


def test_scaled_errors_are_means_over_series_windows(scored: pd.DataFrame) -> None:
    scales = pd.DataFrame(
        {"window": [0, 1, 0], "unique_id": ["a", "a", "b"], "mae": [2.0, 3.0, 1.0], "mse": [5.0, 18.0, 2.0]}
    )
    errors = metrics.scaled_errors(scored, scales)
    assert errors["mase"] == pytest.approx((1.5 / 2 + 1.5 / 3 + 2.0 / 1) / 3)
    assert errors["rmsse"] == pytest.approx((math.sqrt(2.5 / 5) + math.sqrt(4.5 / 18) + math.sqrt(8 / 2)) / 3)
    assert errors["scale_zero"] == 0


def test_a_scale_of_zero_is_left_out_and_counted(scored: pd.DataFrame) -> None:
    scales = pd.DataFrame(
        {"window": [0, 1, 0], "unique_id": ["a", "a", "b"], "mae": [2.0, 3.0, 0.0], "mse": [5.0, 18.0, 0.0]}
    )
    errors = metrics.scaled_errors(scored, scales)
    assert errors["mase"] == pytest.approx((1.5 / 2 + 1.5 / 3) / 2)
    assert errors["scale_zero"] == 1
    none = metrics.scaled_errors(scored, scales.assign(mae=0.0, mse=0.0))
    assert none == {"mase": None, "rmsse": None, "scale_zero": 3}


def test_coverage_counts_the_bounds(scored: pd.DataFrame) -> None:
    # Inside: 4 on its lower bound, 5, 0 on its lower bound. Outside: 6, 0 below 1, 10.
    assert metrics.interval(scored, 80) == {"coverage_80": 3 / 6, "width_80": (4 + 1 + 4 + 4 + 2 + 2) / 6}


def test_a_model_without_intervals_has_no_coverage(scored: pd.DataFrame) -> None:
    assert metrics.interval(scored, 95) == {"coverage_95": None, "width_95": None}
