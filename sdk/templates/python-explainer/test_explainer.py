"""Tests of `{{type}}`, without WebAssembly."""

import pytest
from explainer import MyModel

from retailcast_sdk.testing import check_explainer, explain, subject


def test_the_level_and_the_weekdays_add_up_to_the_mean_of_the_window() -> None:
    # 2024-01-01, the last day, is a Monday.
    explained = explain(MyModel, subject("moving_average", {"window_size": 2}), [3, 3, 3, 9, 2])
    assert explained.forecast == pytest.approx(5.5)
    drivers = [(driver.name, driver.value, driver.contribution) for driver in explained.drivers]
    assert drivers == [("usual_level", 4, 4), ("sunday", 9, 2.5), ("monday", 2, -1)]


def test_keeps_the_laws() -> None:
    check_explainer(MyModel, subject("moving_average"), list(range(30)))
