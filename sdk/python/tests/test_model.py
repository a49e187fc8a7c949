"""The panel of a `SeriesModel`: failures of single series, the state, and the laws that the harness demands."""

import math
from dataclasses import dataclass

import pytest

from retailcast_sdk import ArtifactMismatch, Info, NotEnoughHistory, Numeric, PluginError, Requirements, SeriesModel
from retailcast_sdk.model import panel_model
from retailcast_sdk.testing import Panel, check_laws, fit_predict


@dataclass
class Nothing:
    pass


@dataclass
class Inverse(SeriesModel):
    """Forecasts 1 over the last value."""

    value: float

    info = Info("inverse", "0.1.0", "Apache-2.0", "For tests.")
    Config = Nothing

    @classmethod
    def requirements(cls, config: Nothing) -> Requirements:
        return Requirements.series(1)

    @classmethod
    def fit(cls, config: Nothing, history: list[float]) -> "Inverse":
        if len(history) < 2:
            raise NotEnoughHistory.needs(2, len(history))
        return cls(1 / history[-1])

    def forecast(self, horizon: int) -> list[float]:
        return [self.value * 1e300 * 1e300 if self.value > 100 else self.value] * horizon


def test_a_bad_series_does_not_fail_the_others() -> None:
    panel = Panel.of([1, 2], [1], [1, 0], [1, 4], [1, 0.001])
    forecasts = check_laws(Inverse, {}, panel, horizon=2)
    assert forecasts.points[:2] == [0.5, 0.5]
    assert forecasts.points[6:8] == [0.25, 0.25]
    assert all(math.isnan(point) for at in (1, 2, 4) for point in forecasts.points[2 * at : 2 * at + 2])
    found = [(type(failure), failure.series) for failure in forecasts.failures]
    assert found == [(NotEnoughHistory, 1), (Numeric, 2), (Numeric, 4)]


def test_a_series_alone_fails_in_fit() -> None:
    panel = Panel.of([1])
    with pytest.raises(NotEnoughHistory, match="needs at least 2 values, found 1") as refusal:
        fit_predict(Inverse, {}, panel, panel.future(1))
    assert refusal.value.series == 0


def test_a_mistake_is_not_taken_for_a_refusal() -> None:
    class Mistaken(Inverse):
        @classmethod
        def fit(cls, config: Nothing, history: list[float]) -> "Inverse":
            return {}["nothing"]

    panel = Panel.of([1, 2], [1, 2])
    with pytest.raises(KeyError):
        fit_predict(Mistaken, {}, panel, panel.future(1))


def test_other_series_than_were_fitted_are_refused() -> None:
    fitted = panel_model(Inverse).fit(Nothing(), Panel.of([1, 2], [1, 2]))
    with pytest.raises(PluginError, match="fitted on 2 series, asked for 1"):
        fitted.predict(Panel.of([1, 2]).future(1))


def test_a_state_of_another_format_name_or_shape_is_refused() -> None:
    saved = panel_model(Inverse).fit(Nothing(), Panel.of([1, 2])).save()

    class Newer(Inverse):
        info = Info("inverse", "2.0.0", "Apache-2.0", "For tests.")
        state_format = 2

    class Updated(Inverse):
        info = Info("inverse", "1.7.0", "Apache-2.0", "For tests.")

    class Stranger(Inverse):
        info = Info("invers", "0.1.0", "Apache-2.0", "For tests.")

    assert panel_model(Updated).load(saved).save() == saved
    for model, words in [(Newer, "format 1; version 2.0.0 reads format 2"), (Stranger, "not a state of invers")]:
        with pytest.raises(ArtifactMismatch, match=words):
            panel_model(model).load(saved)
    for cut in range(len(saved)):
        with pytest.raises(ArtifactMismatch):
            panel_model(Inverse).load(saved[:cut])
    with pytest.raises(ArtifactMismatch, match="value is 'x', not float"):
        panel_model(Inverse).load(saved.replace(b"0.5", b'"x"'))


def test_the_harness_finds_broken_laws() -> None:
    class Forgetful(Inverse):
        """Predicts otherwise after `load`."""

        @classmethod
        def fit(cls, config: Nothing, history: list[float]) -> "Inverse":
            fitted = cls(1.0)
            fitted.extra = 1.0
            return fitted

        def forecast(self, horizon: int) -> list[float]:
            return [getattr(self, "extra", 0.0)] * horizon

    class Restless(Inverse):
        """Every forecast is another."""

        def forecast(self, horizon: int) -> list[float]:
            self.value += 1
            return [self.value] * horizon

    for model, law in [(Forgetful, "save and load"), (Restless, "predicting twice")]:
        with pytest.raises(AssertionError, match=law):
            check_laws(model, {}, Panel.of([1, 2], [1, 3]), horizon=1)
