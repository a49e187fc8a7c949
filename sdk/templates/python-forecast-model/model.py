"""`{{type}}`: a forecast model for RetailCast."""

from dataclasses import dataclass
from typing import Annotated

from retailcast_sdk import Info, NotEnoughHistory, Range, Requirements, SeriesModel


@dataclass
class Config:
    """What clients may choose. The order of the fields is part of what identifies a configuration."""

    window: Annotated[int, Range(1, 365), "Days that are averaged."] = 28


@dataclass
class Model(SeriesModel):
    """What is learned of one series: it is saved and loaded as it stands here."""

    mean: float

    info = Info("{{type}}", "0.1.0", "Apache-2.0", "The mean of the last days.")
    Config = Config

    @classmethod
    def requirements(cls, config: Config) -> Requirements:
        return Requirements.series(min_history=1)

    @classmethod
    def reads(cls, config: Config) -> int:
        return config.window

    @classmethod
    def fit(cls, config: Config, history: list[float]) -> "Model":
        if not history:
            raise NotEnoughHistory.needs(1, 0)
        return cls(sum(history) / len(history))

    def forecast(self, horizon: int) -> list[float]:
        return [self.mean] * horizon
