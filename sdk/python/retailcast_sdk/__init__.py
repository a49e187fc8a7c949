"""Write a RetailCast plugin in Python.

A forecast model is a class that inherits `SeriesModel` (one series at a time; enough for most statistical models) or
`ForecastModel` (whole panels, feature tables):

    @dataclass
    class Last(SeriesModel):
        \"\"\"Forecasts the last value.\"\"\"

        value: float

        info = Info("last", "0.1.0", "Apache-2.0", "Repeats the last value.")

        @dataclass
        class Config:
            pass

        @classmethod
        def requirements(cls, config):
            return Requirements.series(1)

        @classmethod
        def fit(cls, config, history):
            return cls(history[-1])

        def forecast(self, horizon):
            return [self.value] * horizon

The other kinds of plugin are classes that inherit `explain.Explainer`, `scenario.ScenarioAdjuster` or
`embedding.EmbeddingProvider`.

`python -m retailcast_sdk build model.py` makes a component of it, for the server's plugin folder. The same class runs
under pytest: see `retailcast_sdk.testing`.
"""

from . import requirements as features
from .config import Range
from .data import FutureData, TrainingData, expect_series
from .errors import (
    ArtifactMismatch,
    InvalidConfig,
    MissingFeature,
    NotEnoughHistory,
    Numeric,
    PluginError,
    Unsupported,
    Upstream,
)
from .forecasts import Forecasts
from .info import Info
from .log import log
from .model import ForecastModel, SeriesModel
from .requirements import Feature, Requirements, ShortLags

__all__ = [
    "ArtifactMismatch",
    "Feature",
    "ForecastModel",
    "Forecasts",
    "FutureData",
    "Info",
    "InvalidConfig",
    "MissingFeature",
    "NotEnoughHistory",
    "Numeric",
    "PluginError",
    "Range",
    "Requirements",
    "SeriesModel",
    "ShortLags",
    "TrainingData",
    "Unsupported",
    "Upstream",
    "expect_series",
    "features",
    "log",
]
