"""Scenario adjusters: forecasts to adjust, and what the host relies on."""

from __future__ import annotations

from ..scenario import (
    Adjusted,
    Assumptions,
    Baseline,
    Interval,
    LifeCycleStage,
    PriceChange,
    Promotion,
    PromotionKind,
    ScenarioAdjuster,
    Window,
)
from .laws import NEW_YEAR_2024, bits, require, require_finite

PRICE_CHANGES = (-0.9, -0.5, -0.15, -0.01, 0.0, 0.01, 0.2, 1.0, 5.0)


def baseline(points: list[float], *widths: tuple[float, float]) -> Baseline:
    """A forecast from 2024-01-01 on, to be adjusted. Every width is an interval: `(0.8, 0.2)` has the level 0.8, and bounds
    that are a fifth of the point away from it.
    """
    points = [float(point) for point in points]

    def around(level: float, width: float) -> Interval:
        return Interval(level, [p - width * abs(p) for p in points], [p + width * abs(p) for p in points])

    return Baseline(NEW_YEAR_2024, points, [around(level, width) for level, width in widths])


def adjust(adjuster: type[ScenarioAdjuster], assumptions: Assumptions, base: Baseline) -> Adjusted:
    """Adjusts, and demands of the answer what the host demands: a factor and a point per day, the levels of the baseline,
    finite numbers of at least 0, lower bounds not above upper ones.
    """
    adjusted = adjuster.adjust(assumptions, base)
    columns = [("a factor", adjusted.factors), ("a point", adjusted.points)]
    columns += [("a bound", column) for level in adjusted.intervals for column in (level.lower, level.upper)]
    for what, values in columns:
        require(len(values) == len(base.points), f"{what} per day: there are {len(values)} for {len(base.points)} days")
        require_finite(values, what)
        require(min(values) >= 0, f"{what} is {min(values)}, below 0")
    levels, expected = [i.level for i in adjusted.intervals], [i.level for i in base.intervals]
    require(levels == expected, f"the levels are {levels}, those of the baseline {expected}")
    for level in adjusted.intervals:
        ordered = all(low <= high for low, high in zip(level.lower, level.upper, strict=True))
        require(ordered, f"a lower bound of the level {level.level} is above its upper bound")
    return adjusted


def check_adjuster(adjuster: type[ScenarioAdjuster]) -> None:
    """Demands what the host relies on, on 28 days with intervals:

    - every answer is one as `adjust` demands, and the same assumptions give the same numbers;
    - without assumptions nothing changes, and outside their windows neither;
    - holidays have no order;
    - dearer does not sell more;
    - baselines that are zero, negative or huge are adjusted, too.
    """
    base = baseline([20.0 + [0, 2, 1, 3, 6, 9, -4][day % 7] for day in range(28)], (0.8, 0.2), (0.95, 0.4))
    unchanged = Adjusted([1.0] * 28, base.points, base.intervals)
    _same(unchanged, adjust(adjuster, Assumptions(), base), "without assumptions something changes")
    for assumptions in _usual(base):
        first = adjust(adjuster, assumptions, base)
        _same(first, adjust(adjuster, assumptions, base), "the same assumptions give two answers")
    _windows(adjuster, base)
    _holidays(adjuster, base)
    _prices(adjuster, base)
    for value in (0.0, -3.0, 1e12):
        for assumptions in _usual(base):
            adjust(adjuster, assumptions, baseline([value] * 28, (0.8, 0.2)))


def _days(base: Baseline, first: int, last: int) -> Window:
    return Window(base.start + first, base.start + last)


def _usual(base: Baseline) -> list[Assumptions]:
    """What planners assume: each alone, and everything at once."""
    during = _days(base, 3, 16)
    prices = [Assumptions(price=PriceChange(change, during)) for change in PRICE_CHANGES]
    promotions = [Assumptions(promotion=Promotion(kind, during)) for kind in PromotionKind]
    stages = [Assumptions(stage=stage) for stage in LifeCycleStage]
    holidays = [base.start + 10, base.start + 24, base.start - 400]
    promotion = Promotion(PromotionKind.PCT_OFF, _days(base, -4000, 4000))
    everything = Assumptions(PriceChange(-0.15, during), promotion, holidays, LifeCycleStage.GROWTH)
    return [*prices, *promotions, *stages, Assumptions(holidays=holidays), everything]


def _windows(adjuster: type[ScenarioAdjuster], base: Baseline) -> None:
    during = _days(base, 8, 12)
    cases = [Assumptions(price=PriceChange(-0.3, during)), Assumptions(holidays=list(range(during.first, during.last + 1)))]
    cases += [Assumptions(promotion=Promotion(kind, during)) for kind in PromotionKind]
    for assumptions in cases:
        factors = adjust(adjuster, assumptions, base).factors
        for day, factor in zip(base.days(), factors, strict=True):
            alone = during.covers(day) or factor == 1
            require(alone, f"day {day - base.start} lies outside of {assumptions} and has the factor {factor}")


def _holidays(adjuster: type[ScenarioAdjuster], base: Baseline) -> None:
    days = [base.start + day for day in (3, 10, 24)]
    ordered = adjust(adjuster, Assumptions(holidays=days), base)
    again = adjust(adjuster, Assumptions(holidays=[*days[::-1], days[1]]), base)
    _same(ordered, again, "holidays in another order give other numbers")


def _prices(adjuster: type[ScenarioAdjuster], base: Baseline) -> None:
    before: list[float] | None = None
    for change in PRICE_CHANGES:
        points = adjust(adjuster, Assumptions(price=PriceChange(change, _days(base, 0, 27))), base).points
        dearer = before is None or all(point <= cheaper for point, cheaper in zip(points, before, strict=True))
        require(dearer, f"with a price change of {change} a day sells more than with a smaller one")
        before = points


def _same(one: Adjusted, other: Adjusted, law: str) -> None:
    def columns(adjusted: Adjusted) -> list[bytes]:
        bounds = [column for level in adjusted.intervals for column in (level.lower, level.upper)]
        return [bits(column) for column in (adjusted.factors, adjusted.points, *bounds)]

    require(columns(one) == columns(other), law)
