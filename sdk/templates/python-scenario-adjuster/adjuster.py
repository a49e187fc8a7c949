"""`{{type}}`: every kind of promotion has its own price elasticity. Make it yours."""

from retailcast_sdk import Info
from retailcast_sdk.scenario import Adjusted, Assumptions, Baseline, PromotionKind, ScenarioAdjuster, multiply

ELASTICITY = -1.1
"""Demand changes by about this many per cent when the price rises by one."""

PROMOTIONS = {
    PromotionKind.PCT_OFF: (-1.8, 1.05),
    PromotionKind.BOGO: (-1.3, 1.45),
    PromotionKind.BUNDLE: (-1.2, 1.10),
    PromotionKind.MARKDOWN: (-2.2, 1.00),
}
"""Elasticity while a promotion of this kind runs, and what demand is multiplied by at an unchanged price."""

HOLIDAY = 1.2
"""What demand is multiplied by on a holiday."""


class MyModel(ScenarioAdjuster):
    """A price cut that is advertised sells more than one that is not."""

    info = Info("{{type}}", "0.1.0", "Apache-2.0", "A price elasticity of its own for every kind of promotion.")

    @classmethod
    def adjust(cls, assumptions: Assumptions, baseline: Baseline) -> Adjusted:
        return multiply(baseline, [factor(assumptions, day) for day in baseline.days()])


def factor(assumptions: Assumptions, day: int) -> float:
    """What a day is multiplied by; 1 when nothing is assumed of it."""
    price, promotion = assumptions.price, assumptions.promotion
    running = promotion is not None and promotion.during.covers(day)
    elasticity, uplift = PROMOTIONS[promotion.kind] if running else (ELASTICITY, 1.0)
    if price is not None and price.during.covers(day):
        uplift *= (1 + price.change) ** elasticity
    return uplift * HOLIDAY if day in assumptions.holidays else uplift
