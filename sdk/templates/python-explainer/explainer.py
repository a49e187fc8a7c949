"""`{{type}}`: explains a moving average by its weekdays. Make it yours."""

from collections.abc import Iterator
from statistics import fmean

from retailcast_sdk import Info, InvalidConfig, NotEnoughHistory, Unsupported
from retailcast_sdk.explain import Confidence, Direction, Driver, Explained, Explainer
from retailcast_sdk.explain import FittedModel, Method, Signals, Subject

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class MyModel(Explainer):
    """The usual level, and what every weekday in the window adds to it or takes away."""

    info = Info("{{type}}", "0.1.0", "Apache-2.0", "Explains a moving average by the usual level and its weekdays.")
    models = ("moving_average",)

    @classmethod
    def explain(
        cls, subject: Subject, history: list[float], signals: Signals, fitted: FittedModel | None
    ) -> Explained:
        if subject.model_type not in cls.models:
            raise Unsupported(f"{subject.model_type} is not explained here")
        window = window_of(subject)
        if len(history) < window:
            raise NotEnoughHistory.needs(window, len(history))
        usual = fmean(history)
        level = driver("usual_level", usual, usual, f"Mean of all {len(history)} days.")
        weekdays = list(by_weekday(subject.as_of, history[-window:], usual))
        # The contributions must add up to the forecast, which is the mean of the window.
        drivers = [level, *sorted(weekdays, key=lambda driver: -abs(driver.contribution))]
        forecast = sum(driver.contribution for driver in drivers)
        summary = f"The forecast of {forecast:.1f} units is the mean of the last {window} days; usual are {usual:.1f}."
        caveats = ["A moving average forecasts every weekday alike."]
        return Explained(Method.RULE_BASED, forecast, drivers, [], Confidence.MEDIUM, caveats, summary)


def window_of(subject: Subject) -> int:
    """The days that the model averages; a week when it does not say."""
    window = subject.parameters().get("window_size", 7)
    if type(window) is not int or window < 1:
        raise InvalidConfig(f"window_size is {window!r}, not a positive number of days")
    return window


def by_weekday(last: int, days: list[float], usual: float) -> Iterator[Driver]:
    """A driver for every weekday among the days, of which `last` is the number of the newest."""
    newest_first = days[::-1]
    for ago in range(min(7, len(days))):
        sold = newest_first[ago::7]
        # Day 0, 1970-01-01, was a Thursday.
        name = WEEKDAYS[(last - ago + 3) % 7]
        above = sum(units - usual for units in sold) / len(days)
        yield driver(name, fmean(sold), above, f"{name.capitalize()}s in the window, against the usual level.")


def driver(name: str, value: float, contribution: float, description: str) -> Driver:
    return Driver(name, value, contribution, Direction.of(contribution), description)
