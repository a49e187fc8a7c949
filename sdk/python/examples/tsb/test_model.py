"""Forecasts equal statsforecast 2.1's: `fixtures/make_fixtures.py` made the fixture."""

import json
from pathlib import Path

import pytest
from model import Tsb, intervals

from retailcast_sdk.testing import Panel, check_laws, fit_predict

CASES = json.loads((Path(__file__).parent / "fixtures" / "croston.json").read_text())
ALPHAS = {
    "tsb": {"alpha_size": 0.2, "alpha_time": 0.05},
    "classic": {},
    "sba": {},
}


@pytest.mark.parametrize("variant", ALPHAS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_forecasts_as_statsforecast(case: dict, variant: str) -> None:
    panel = Panel.of(case["y"])
    points = fit_predict(Tsb, {"variant": variant, **ALPHAS[variant]}, panel, panel.future(2)).points
    assert points == pytest.approx([case[variant]] * 2, rel=1e-12)


def test_intervals_count_from_the_day_before_the_history() -> None:
    assert intervals([0, 5, 0, 0, 2, 1]) == [2, 3, 1]


def test_only_tsb_notices_that_sales_have_ended() -> None:
    panel = Panel.of([2.0] * 30 + [0.0] * 30)
    assert fit_predict(Tsb, {}, panel, panel.future(1)).points[0] < 0.1
    assert fit_predict(Tsb, {"variant": "classic"}, panel, panel.future(1)).points[0] > 1.9


@pytest.mark.parametrize("variant", ALPHAS)
def test_keeps_the_laws(variant: str) -> None:
    check_laws(Tsb, {"variant": variant}, Panel.of([0, 4, 0, 0, 8], [0, 0], [1, 2, 3]), horizon=5)
