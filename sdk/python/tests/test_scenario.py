"""Scenario adjusters: the types, `multiply`, and what the harness finds."""

from dataclasses import replace

import pytest

from retailcast_sdk import Info
from retailcast_sdk.scenario import Adjusted, Assumptions, Baseline, Interval, ScenarioAdjuster, Window, multiply
from retailcast_sdk.testing import adjust, baseline, check_adjuster


class Festive(ScenarioAdjuster):
    """Twice as much on holidays."""

    info = Info("festive", "0.1.0", "Apache-2.0", "For tests.")

    @classmethod
    def adjust(cls, assumptions: Assumptions, baseline: Baseline) -> Adjusted:
        return multiply(baseline, [2.0 if day in assumptions.holidays else 1.0 for day in baseline.days()])


def test_a_window_includes_its_first_and_its_last_day() -> None:
    assert [Window(3, 4).covers(day) for day in (2, 3, 4, 5)] == [False, True, True, False]


def test_points_and_bounds_are_multiplied_and_cut() -> None:
    base = baseline([10, -4], (0.8, 0.5))
    assert base.intervals == [Interval(0.8, [5, -6], [15, -2])]
    adjusted = adjust(Festive, Assumptions(holidays=[base.start]), base)
    assert adjusted == Adjusted([2, 1], [20, 0], [Interval(0.8, [10, 0], [30, 0])])


def test_there_is_a_factor_per_day() -> None:
    with pytest.raises(ValueError, match="shorter|longer"):
        multiply(baseline([1, 2]), [1.0])


def test_keeps_the_laws() -> None:
    check_adjuster(Festive)


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ({"factors": [1.0]}, "a factor per day: there are 1 for 2 days"),
        ({"points": [1.0, float("inf")]}, "a point is inf"),
        ({"points": [1.0, -1.0]}, "a point is -1.0, below 0"),
        ({"intervals": []}, r"the levels are \[\], those of the baseline \[0.8\]"),
        ({"intervals": [Interval(0.8, [1.0, 2.0], [1.0, 1.0])]}, "a lower bound of the level 0.8 is above"),
    ],
)
def test_the_harness_finds_bad_answers(change: dict, law: str) -> None:
    class Bad(Festive):
        @classmethod
        def adjust(cls, assumptions: Assumptions, baseline: Baseline) -> Adjusted:
            return replace(super().adjust(assumptions, baseline), **change)

    with pytest.raises(AssertionError, match=law):
        adjust(Bad, Assumptions(), baseline([1, 2], (0.8, 0.1)))


def test_the_harness_finds_broken_laws() -> None:
    def adjuster(factor: object) -> type[ScenarioAdjuster]:
        class Other(Festive):
            @classmethod
            def adjust(cls, assumptions: Assumptions, baseline: Baseline) -> Adjusted:
                return multiply(baseline, [factor(assumptions, day) for day in baseline.days()])

        return Other

    always = adjuster(lambda assumptions, day: 1.1)
    spilling = adjuster(lambda assumptions, day: 1.0 if assumptions.promotion is None else 1.2)
    counting = adjuster(lambda assumptions, day: 1.0 + assumptions.holidays.count(day))
    inverted = adjuster(
        lambda assumptions, day: 1 + assumptions.price.change
        if assumptions.price and assumptions.price.during.covers(day)
        else 1.0
    )
    for wrong, law in [
        (always, "without assumptions something changes"),
        (spilling, "lies outside of"),
        (counting, "holidays in another order"),
        (inverted, "sells more than with a smaller one"),
    ]:
        with pytest.raises(AssertionError, match=law):
            check_adjuster(wrong)
