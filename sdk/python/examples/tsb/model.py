"""`tsb`: intermittent demand in pure Python. Between the days with sales lie days without; the size of a sale and how often
there is one are smoothed apart, and every day to come is forecast as the mean demand per day.

Sources: Croston (1972), "Forecasting and stock control for intermittent demands"; Syntetos and Boylan (2005), "The accuracy
of intermittent demand estimates"; Teunter, Syntetos and Babai (2011), "Intermittent demand: linking forecasting to
inventory obsolescence".
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from retailcast_sdk import Info, NotEnoughHistory, Range, Requirements, SeriesModel


@dataclass
class Config:
    """Which method, and how quickly it forgets."""

    variant: Annotated[
        Literal["tsb", "classic", "sba"],
        "`tsb`: size times probability of a sale, which falls while nothing is sold. `classic`: size over interval. "
        "`sba`: that, less its bias.",
    ] = "tsb"
    alpha_size: Annotated[float, Range(0.001, 1.0), "Smoothing of the sizes of sales."] = 0.1
    alpha_time: Annotated[
        float, Range(0.001, 1.0), "Smoothing of the probability of a sale (`tsb`) or of the intervals between sales."
    ] = 0.1


@dataclass
class Tsb(SeriesModel):
    """The demand of one series."""

    rate: float
    """Units per day."""

    info = Info("tsb", "0.1.0", "Apache-2.0", "For products that sell on few days and may stop to sell.")
    Config = Config

    @classmethod
    def requirements(cls, config: Config) -> Requirements:
        return Requirements.series(1)

    @classmethod
    def fit(cls, config: Config, history: list[float]) -> "Tsb":
        if not history:
            raise NotEnoughHistory.needs(1, 0)
        return cls(rate(config, history))

    def forecast(self, horizon: int) -> list[float]:
        return [self.rate] * horizon


def rate(config: Config, history: list[float]) -> float:
    """Units per day; 0 when nothing was ever sold."""
    sizes = [sold for sold in history if sold > 0]
    if not sizes:
        return 0.0
    size = level(sizes, config.alpha_size)
    if config.variant == "tsb":
        return size * level([float(sold > 0) for sold in history], config.alpha_time)
    # What the quotient of two smoothed numbers is too high by, approximately.
    less_bias = 1 - config.alpha_time / 2 if config.variant == "sba" else 1.0
    return less_bias * size / level(intervals(history), config.alpha_time)


def intervals(history: list[float]) -> list[float]:
    """Days from one sale to the next, each at least 1; the first counts from the day before the history."""
    sales = [day for day, sold in enumerate(history, 1) if sold > 0]
    return [float(day - before) for before, day in zip([0, *sales], sales)]


def level(values: list[float], alpha: float) -> float:
    """Simple exponential smoothing: begins at the first value, and each value moves it by a share of its distance."""
    smoothed = values[0]
    for value in values[1:]:
        smoothed = alpha * value + (1 - alpha) * smoothed
    return smoothed
