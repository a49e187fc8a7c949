"""The glue between a model's class and the exports of a component. Exists only inside a component: `build` writes the
module that calls `exports`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from componentize_py_types import Err
from wit_world.exports import forecaster as wit
from wit_world.imports import types as wit_types

from . import config, guard
from .errors import PluginError
from .forecasts import Forecasts
from .model import ForecastModel, SeriesModel, panel_model
from .requirements import Feature, Requirements

T = TypeVar("T")


def exports(chosen: type[ForecastModel] | type[SeriesModel]) -> tuple[type, type]:
    """The classes `Plugin` and `Forecaster` that componentize-py looks for."""
    model = panel_model(chosen)
    # Written once, before files are closed: a description must be the same at every call.
    schema = json.dumps(config.schema(model.Config))

    class Plugin:
        def describe(self) -> wit_types.Description:
            info = model.info
            kind = wit_types.PluginKind.FORECAST_MODEL
            return wit_types.Description(info.name, info.version, kind, info.licence, info.summary, schema)

    class Forecaster:
        def needs(self, text: str) -> wit.Requirements:
            return _refusable(lambda: _requirements(model.requirements(config.parse(model.Config, text))))

        def fit(self, text: str, data: Any) -> Fitted:
            return Fitted(_refusable(lambda: model.fit(config.parse(model.Config, text), data)))

        def load(self, data: bytes) -> Fitted:
            return Fitted(_refusable(lambda: model.load(data)))

    guard.close()
    return Plugin, Forecaster


class Fitted(wit.Fitted):
    """A fitted model as a resource."""

    def __init__(self, model: ForecastModel) -> None:
        self._model = model

    def save(self) -> bytes:
        return self._model.save()

    def predict(self, ahead: Any) -> wit.Forecasts:
        return _refusable(lambda: _forecasts(self._model.predict(ahead)))


def _refusable(call: Callable[[], T]) -> T:
    """A refusal as the contract's error. Any other exception is a mistake in the model: it crashes the call, and the
    client and the log get the traceback.
    """
    try:
        return call()
    except PluginError as error:
        raise Err(_error(error)) from error


def _error(error: PluginError) -> wit_types.PluginError:
    code = wit_types.ErrorCode[error.code.upper().replace("-", "_")]
    return wit_types.PluginError(code, error.message, error.series, error.details)


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
    return wit.Forecasts(f.points, f.levels, f.lower, f.upper, [_error(e) for e in f.failures], f.fallbacks)
