"""Explainers: forecasts to explain, and what the host relies on."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from ..errors import InvalidConfig, NotEnoughHistory, Numeric, PluginError, Unsupported
from ..explain import Direction, Explained, Explainer, FittedModel, Holiday, PromotionSignal, Signals, StockSignal, Subject
from .laws import NEW_YEAR_2024, require, require_finite


def subject(model_type: str, config: dict[str, Any] | None = None) -> Subject:
    """The forecast of a model of this type and configuration, to be explained: of the day after 2024-01-01."""
    return Subject(1, 1, model_type, json.dumps(config or {}), NEW_YEAR_2024)


def every_signal() -> Signals:
    """Stock ran out, promotions run, the product is new, and the next day is a holiday."""
    return Signals(14, StockSignal(15, 6), PromotionSignal(3, 1), 20, Holiday("Christmas Day"))


def explain(
    explainer: type[Explainer],
    about: Subject,
    history: list[float],
    signals: Signals | None = None,
    fitted: FittedModel | None = None,
) -> Explained:
    """Explains, and demands of the explanation what the host demands: finite numbers, drivers with names of their own and
    the direction of their contribution, contributions that add up to the forecast, every reason once, a summary.
    """
    history = [float(value) for value in history]
    explained = explainer.explain(about, history, signals or Signals(), fitted)
    numbers = [number for driver in explained.drivers for number in (driver.value, driver.contribution)]
    require_finite([explained.forecast, *numbers], "a number of the explanation")
    _drivers(explained)
    codes = [reason.code for reason in explained.reason_codes]
    require(len(set(codes)) == len(codes), f"a reason appears twice: {codes}")
    require(all(reason.detail.strip() for reason in explained.reason_codes), "a reason has no detail")
    require(0 < len(explained.summary.strip()) <= 2000, "the summary has no words, or more than 2000 characters")
    require(all(caveat.strip() for caveat in explained.caveats), "a caveat is empty")
    return explained


def check_explainer(
    explainer: type[Explainer], about: Subject, history: list[float], fitted: FittedModel | None = None
) -> Explained:
    """Demands what the host relies on, and returns the explanation:

    - every answer is an explanation as `explain` demands, and the same question has the same answer;
    - signals change reasons, not the forecast;
    - other model types are refused with `Unsupported`;
    - too short and hard histories are explained, or refused with `NotEnoughHistory` or `Numeric`;
    - a configuration that is no JSON object is ignored, or refused with `InvalidConfig`.
    """
    explained = explain(explainer, about, history, None, fitted)
    require(explained == explain(explainer, about, history, None, fitted), "the same question has two answers")
    busy = explain(explainer, about, history, every_signal(), fitted)
    require(busy.forecast == explained.forecast, "signals changed the forecast")
    stranger = replace(about, model_type="a_model_that_nobody_has")
    require(_refused(explainer, stranger, history, fitted, Unsupported), "a model type that is not its own is explained")
    for short in ([], [3.0]):
        _refused(explainer, about, short, fitted, NotEnoughHistory)
    for value in (0.0, 5.0, -10.0, 1e12, 1e-9):
        _refused(explainer, about, [value] * 400, fitted, NotEnoughHistory, Numeric)
    for config in ("", "[]", '{"', '"seven"'):
        _refused(explainer, replace(about, config=config), history, fitted, InvalidConfig)
    return explained


def _drivers(explained: Explained) -> None:
    require(bool(explained.drivers), "there is no driver")
    names = [driver.name for driver in explained.drivers]
    require(len(set(names)) == len(names), f"two drivers have one name: {names}")
    for driver in explained.drivers:
        require(re.fullmatch(r"[a-z][a-z0-9_]*", driver.name) is not None, f"`{driver.name}` is not [a-z][a-z0-9_]*")
        require(bool(driver.description.strip()), f"`{driver.name}` has no description")
        # What contributes nothing is shown for context and may point anywhere.
        fits = driver.contribution == 0 or driver.direction is Direction.of(driver.contribution)
        require(fits, f"`{driver.name}` contributes {driver.contribution} and is {driver.direction}")
    total = sum(driver.contribution for driver in explained.drivers)
    near = abs(total - explained.forecast) <= 1e-9 * max(1.0, abs(explained.forecast))
    require(near, f"the contributions add up to {total}, the forecast is {explained.forecast}")


def _refused(
    explainer: type[Explainer],
    about: Subject,
    history: list[float],
    fitted: FittedModel | None,
    *refusals: type[PluginError],
) -> bool:
    """Whether it refuses with one of these; with another it is an error."""
    try:
        explain(explainer, about, history, None, fitted)
    except refusals:
        return True
    return False
