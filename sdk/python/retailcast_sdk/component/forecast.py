"""The exports of a forecast model."""

from __future__ import annotations

from typing import Any

from wit_world.exports import forecaster as wit

from .. import config
from ..forecasts import Forecasts
from ..model import ForecastModel, SeriesModel, panel_model
from ..requirements import Feature, Requirements
from . import describing, refusable, refusal


def exports(chosen: type[ForecastModel] | type[SeriesModel]) -> tuple[type, type]:
    """The classes `Plugin` and `Forecaster` that componentize-py looks for."""
    model = panel_model(chosen)

    class Forecaster:
        def needs(self, text: str) -> wit.Requirements:
            return refusable(lambda: _requirements(model.requirements(config.parse(model.Config, text))))

        def fit(self, text: str, data: Any) -> Fitted:
            return Fitted(refusable(lambda: model.fit(config.parse(model.Config, text), data)))

        def load(self, data: bytes) -> Fitted:
            return Fitted(refusable(lambda: model.load(data)))

    return describing(model), Forecaster


class Fitted(wit.Fitted):
    """A fitted model as a resource."""

    def __init__(self, model: ForecastModel) -> None:
        self._model = model

    def save(self) -> bytes:
        return self._model.save()

    def predict(self, ahead: Any) -> wit.Forecasts:
        return refusable(lambda: _forecasts(self._model.predict(ahead)))


def _requirements(needs: Requirements) -> wit.Requirements:
    if needs.features is None:
        reads: wit.Input = wit.Input_Series()
    else:
        short_lags = wit.ShortLags[needs.short_lags.name]
        reads = wit.Input_Table(wit.Table([_feature(feature) for feature in needs.features], short_lags))
    scope = wit.Scope.GLOBAL if needs.across else wit.Scope.LOCAL
    return wit.Requirements(needs.min_history, reads, scope, needs.intervals, needs.exogenous)


def _feature(feature: Feature) -> wit.Feature:
    case = getattr(wit, "Feature_" + "".join(part.capitalize() for part in feature.kind.split("-")))
    return case() if feature.rows is None else case(feature.rows)


def _forecasts(f: Forecasts) -> wit.Forecasts:
    return wit.Forecasts(f.points, f.levels, f.lower, f.upper, [refusal(e) for e in f.failures], f.fallbacks)
