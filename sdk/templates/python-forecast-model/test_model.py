"""Tests of `{{type}}`, without WebAssembly."""

from model import Model

from retailcast_sdk.testing import Panel, check_laws, fit_predict


def test_averages_the_window() -> None:
    panel = Panel.of([100.0, 1.0, 3.0])
    assert fit_predict(Model, {"window": 2}, panel, panel.future(3)).points == [2.0, 2.0, 2.0]


def test_keeps_the_laws() -> None:
    check_laws(Model, {}, Panel.of([1.0, 2.0, 3.0], [5.0]), horizon=7)
