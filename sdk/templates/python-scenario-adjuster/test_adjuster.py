"""Tests of `{{type}}`, without WebAssembly."""

import pytest
from adjuster import MyModel

from retailcast_sdk.scenario import Assumptions, PriceChange, Promotion, PromotionKind, Window
from retailcast_sdk.testing import adjust, baseline, check_adjuster


def test_a_cheaper_price_sells_more_when_it_is_a_markdown() -> None:
    base = baseline([10, 10, 10])
    cheaper = PriceChange(-0.5, Window(base.start, base.start + 1))
    markdown = Promotion(PromotionKind.MARKDOWN, Window(base.start + 1, base.start + 1))
    adjusted = adjust(MyModel, Assumptions(cheaper, markdown), base)
    assert adjusted.points == pytest.approx([10 * 2**1.1, 10 * 2**2.2, 10])


def test_keeps_the_laws() -> None:
    check_adjuster(MyModel)
