"""Explainers: the types, and what the harness finds."""

from dataclasses import replace

import pytest

from retailcast_sdk import Info, InvalidConfig, NotEnoughHistory, Unsupported
from retailcast_sdk.explain import (
    Confidence,
    Direction,
    Driver,
    Explained,
    Explainer,
    FittedModel,
    Method,
    Reason,
    ReasonCode,
    Severity,
    Signals,
    Subject,
)
from retailcast_sdk.testing import check_explainer, every_signal, explain, subject


class Last(Explainer):
    """Explains `naive`."""

    info = Info("last", "0.1.0", "Apache-2.0", "For tests.")
    models = ("naive",)

    @classmethod
    def explain(
        cls, subject: Subject, history: list[float], signals: Signals, fitted: FittedModel | None
    ) -> Explained:
        if subject.model_type not in cls.models:
            raise Unsupported(f"{subject.model_type} is not explained here")
        subject.parameters()
        if not history:
            raise NotEnoughHistory.needs(1, 0)
        driver = Driver("last", history[-1], history[-1], Direction.of(history[-1]), "The last value.")
        stock = ReasonCode(Reason.STOCKOUT_CONSTRAINED, Severity.WARN, f"{signals.stock.stockouts} days without stock.")
        reasons = [stock] if signals.stock.stockouts else []
        return Explained(Method.RULE_BASED, history[-1], [driver], reasons, Confidence.LOW, ["Knows no season."], "Last.")


NAIVE = subject("naive")


def test_an_explanation_by_hand() -> None:
    explained = explain(Last, NAIVE, [1, 2], every_signal())
    assert (explained.forecast, explained.drivers[0].contribution) == (2, 2)
    assert [(r.code.value, r.detail) for r in explained.reason_codes] == [("stockout_constrained", "6 days without stock.")]
    assert explain(Last, NAIVE, [1, 2]).reason_codes == []


def test_keeps_the_laws() -> None:
    assert check_explainer(Last, NAIVE, [1.0, 2.0, 3.0]).forecast == 3


def test_directions_have_signs() -> None:
    assert [Direction.of(value) for value in (0.1, -0.1, 0.0)] == [
        Direction.POSITIVE,
        Direction.NEGATIVE,
        Direction.NEUTRAL,
    ]


def test_parameters_are_an_object() -> None:
    assert subject("naive", {"a": 1}).parameters() == {"a": 1}
    for config, words in [("[]", "not an object"), ("{", "no JSON")]:
        with pytest.raises(InvalidConfig, match=words):
            replace(NAIVE, config=config).parameters()


DRIVER = Driver("a", 3.0, 3.0, Direction.POSITIVE, "A.")
STOCK = ReasonCode(Reason.STOCKOUT_CONSTRAINED, Severity.WARN, "Out.")


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ({"drivers": []}, "there is no driver"),
        ({"drivers": [replace(DRIVER, name="A b")]}, "is not"),
        ({"drivers": [DRIVER, replace(DRIVER, value=0.0, contribution=0.0)]}, "two drivers have one name"),
        ({"drivers": [replace(DRIVER, description=" ")]}, "has no description"),
        ({"drivers": [replace(DRIVER, direction=Direction.NEGATIVE)]}, "contributes 3.0 and is Direction.NEGATIVE"),
        ({"drivers": [replace(DRIVER, contribution=2.0)]}, "add up to 2.0, the forecast is 3.0"),
        ({"drivers": [replace(DRIVER, value=float("nan"))]}, "is nan, not a finite number"),
        ({"reason_codes": [STOCK, STOCK]}, "a reason appears twice"),
        ({"reason_codes": [replace(STOCK, detail="")]}, "a reason has no detail"),
        ({"summary": ""}, "the summary has no words"),
        ({"summary": "x" * 2001}, "more than 2000"),
        ({"caveats": [""]}, "a caveat is empty"),
    ],
)
def test_the_harness_finds_bad_explanations(change: dict, law: str) -> None:
    class Bad(Last):
        @classmethod
        def explain(cls, *arguments: object) -> Explained:
            return replace(Explained(Method.SHAP, 3.0, [DRIVER], [], Confidence.HIGH, [], "Three."), **change)

    with pytest.raises(AssertionError, match=law):
        explain(Bad, NAIVE, [3.0])


def test_the_harness_finds_broken_laws() -> None:
    class Moved(Last):
        """Adds the signals to the forecast."""

        @classmethod
        def explain(cls, subject: Subject, history: list[float], signals: Signals, fitted: None) -> Explained:
            return super().explain(subject, [*history, history[-1] + signals.promotions.touching], signals, fitted)

    class Everything(Last):
        """Explains any model."""

        @classmethod
        def explain(cls, subject: Subject, *rest: object) -> Explained:
            return super().explain(replace(subject, model_type="naive"), *rest)

    for explainer, law in [(Moved, "signals changed the forecast"), (Everything, "not its own is explained")]:
        with pytest.raises(AssertionError, match=law):
            check_explainer(explainer, NAIVE, [1.0, 2.0])

    class Careless(Last):
        """Looks at no length."""

        @classmethod
        def explain(cls, subject: Subject, history: list[float], *rest: object) -> Explained:
            return super().explain(subject, [history[-2]], *rest)

    with pytest.raises(IndexError):
        check_explainer(Careless, NAIVE, [1.0, 2.0])
