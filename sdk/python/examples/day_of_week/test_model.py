"""The weekday's mean, by hand."""

from model import DayOfWeek

from retailcast_sdk.testing import Panel, check_laws, fit_predict


def test_every_weekday_has_its_own_mean() -> None:
    # Two weeks from a Monday; the last value is a Sunday, so the forecast begins with Monday: (1 + 3) / 2.
    panel = Panel.of([1, 0, 0, 0, 0, 0, 7, 3, 0, 0, 0, 0, 0, 9])
    points = fit_predict(DayOfWeek, {}, panel, panel.future(8)).points
    assert points == [2, 0, 0, 0, 0, 0, 8, 2]


def test_older_weeks_do_not_count() -> None:
    panel = Panel.of([100.0] * 7 + [1.0] * 7)
    assert fit_predict(DayOfWeek, {"weeks": 1}, panel, panel.future(1)).points == [1]


def test_keeps_the_laws() -> None:
    check_laws(DayOfWeek, {"weeks": 2}, Panel.of([1.0] * 20, list(range(9))), horizon=10)
