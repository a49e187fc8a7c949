"""The classes that a forecast model inherits from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from . import state, typed
from .data import FutureData, TrainingData, expect_series
from .errors import ArtifactMismatch, Numeric, PluginError, with_code
from .forecasts import Forecasts
from .info import Info
from .requirements import Requirements


class ForecastModel(ABC):
    """A forecast model, the general case: whole panels and feature tables.

    A subclass that is a dataclass is saved and loaded by itself; override `save` and `load` for a format of your own.
    """

    info: ClassVar[Info]
    """Name, version, licence."""
    Config: ClassVar[type]
    """The configuration, a dataclass: see `config`."""
    state_format: ClassVar[int] = 1
    """Number of the format of the fitted state. Raise it when a new version changes what the state consists of."""

    @classmethod
    @abstractmethod
    def requirements(cls, config: Any) -> Requirements:
        """What the model needs under this configuration. Asked before any data is read."""

    @classmethod
    @abstractmethod
    def fit(cls, config: Any, data: TrainingData) -> Self:
        """Fits all series of `data`."""

    @abstractmethod
    def predict(self, ahead: FutureData) -> Forecasts:
        """Forecasts every series. Changes nothing. Begin with `expect_series(ahead, n)`."""

    def save(self) -> bytes:
        """The fitted state."""
        return state.encode(self.info, self.state_format, typed.plain(self))

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Restores what `save` wrote, refuses anything else with `ArtifactMismatch`."""
        plain = state.decode(cls.info, cls.state_format, data)
        return _read_state(cls.info, cls, plain)


class SeriesModel(ABC):
    """A model of one series at a time; a dataclass, which is the fitted state. The SDK does the panel, the state and the
    failures of single series.
    """

    info: ClassVar[Info]
    """Name, version, licence."""
    Config: ClassVar[type]
    """The configuration, a dataclass: see `config`."""
    state_format: ClassVar[int] = 1
    """Number of the format of the fitted state. Raise it when a new version changes what the state consists of."""

    @classmethod
    @abstractmethod
    def requirements(cls, config: Any) -> Requirements:
        """What the model needs under this configuration."""

    @classmethod
    def reads(cls, config: Any) -> int | None:
        """How many of the newest values `fit` reads; `None` for all. What is not read is not copied."""
        return None

    @classmethod
    @abstractmethod
    def fit(cls, config: Any, history: list[float]) -> Self:
        """Fits one series: values oldest first, as many as `reads` says or fewer."""

    @abstractmethod
    def forecast(self, horizon: int) -> list[float]:
        """Forecasts the next `horizon` days."""


class EachSeries(ForecastModel):
    """A `SeriesModel` fitted on every series of a panel. Made by `panel_model`."""

    model: ClassVar[type[SeriesModel]]

    def __init__(self, fitted: list[SeriesModel | PluginError]) -> None:
        self.fitted = fitted

    @classmethod
    def requirements(cls, config: Any) -> Requirements:
        return cls.model.requirements(config)

    @classmethod
    def fit(cls, config: Any, data: TrainingData) -> Self:
        count, reads = data.series_count(), cls.model.reads(config)

        def fit_one(series: int) -> SeriesModel | PluginError:
            history = data.target_of(series) if reads is None else data.target_tail(series, reads)
            return _outcome(lambda: cls.model.fit(config, history))

        fitted = [fit_one(series) for series in range(count)]
        if count == 1 and isinstance(fitted[0], PluginError):
            raise fitted[0].for_series(0)
        return cls(fitted)

    def predict(self, ahead: FutureData) -> Forecasts:
        expect_series(ahead, len(self.fitted))
        horizon = ahead.horizon()
        forecasts = Forecasts(horizon)
        for model in self.fitted:
            forecasts.push(model if isinstance(model, PluginError) else _outcome(lambda: model.forecast(horizon)))
        return forecasts

    def save(self) -> bytes:
        def entry(model: SeriesModel | PluginError) -> dict[str, Any]:
            if isinstance(model, PluginError):
                return {"code": model.code, "message": model.message, "details": [list(d) for d in model.details]}
            return {"state": typed.plain(model)}

        return state.encode(self.info, self.state_format, [entry(model) for model in self.fitted])

    @classmethod
    def load(cls, data: bytes) -> Self:
        def model(entry: Any) -> SeriesModel | PluginError:
            match entry:
                case {"state": plain}:
                    return _read_state(cls.info, cls.model, plain)
                case {"code": str(code), "message": str(message), "details": list(details)}:
                    return with_code(code, message, None, [(str(name), str(value)) for name, value in details])
                case _:
                    raise ArtifactMismatch(f"the state of {cls.info.name} is damaged: {entry!r:.60} is no series")

        entries = state.decode(cls.info, cls.state_format, data)
        if not isinstance(entries, list):
            raise ArtifactMismatch(f"the state of {cls.info.name} is damaged: it is no list of series")
        return cls([model(entry) for entry in entries])


def panel_model(model: type[ForecastModel] | type[SeriesModel]) -> type[ForecastModel]:
    """The model for whole panels: the class itself, or the `EachSeries` of a `SeriesModel`."""
    if issubclass(model, ForecastModel):
        return model
    members = {name: getattr(model, name) for name in ("info", "Config", "state_format")}
    return type(f"Each{model.__name__}", (EachSeries,), {"model": model, **members})


def _outcome(call: Any) -> Any:
    """What a call on one series gives, or why it fails. Arithmetic that has no result is a failure of that series; any
    other exception is a mistake in the model and crashes it.
    """
    try:
        return call()
    except PluginError as error:
        return error
    except ArithmeticError as error:
        return Numeric(f"the computation gave no finite number: {type(error).__name__}: {error}")


def _read_state(info: Info, declared: type, plain: Any) -> Any:
    try:
        return typed.read(declared, plain)
    except typed.TypeMismatch as error:
        raise ArtifactMismatch(f"the state of {info.name} is damaged: {error}") from error
