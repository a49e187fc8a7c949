"""`day_of_week`: every weekday has its own mean of the last weeks. The model of docs/plugins/tutorial-python.md."""

from dataclasses import dataclass
from statistics import fmean
from typing import Annotated

from retailcast_sdk import Info, Range, Requirements, SeriesModel


@dataclass
class Config:
    """How far back the model looks."""

    weeks: Annotated[int, Range(1, 52), "Weeks that are averaged."] = 8


@dataclass
class DayOfWeek(SeriesModel):
    """Mean sales of the weekday of the next day, of the day after, and so on."""

    profile: list[float]

    info = Info("day_of_week", "0.1.0", "Apache-2.0", "Every weekday has its own mean of the last weeks.")
    Config = Config

    @classmethod
    def requirements(cls, config):
        return Requirements.series(min_history=7)

    @classmethod
    def reads(cls, config):
        return 7 * config.weeks

    @classmethod
    def fit(cls, config, history):
        newest_first = history[::-1]
        return cls([fmean(newest_first[6 - step :: 7]) for step in range(7)])

    def forecast(self, horizon):
        return [self.profile[step % 7] for step in range(horizon)]
