"""How good forecasts are: one definition for all peers. What cannot be said (nothing was sold, say) is `None`.

`scored` is a frame with one row per window, series and day: `window`, `unique_id`, `y`, `forecast`, and for each level
of intervals that the model has `lo-80`, `hi-80` and so on. `a` is the actual value and `f` the forecast below.
"""

import numpy as np
import pandas as pd

SEASON = 7
"""Days of the season of the naive forecast that MASE and RMSSE are scaled with."""

LEVELS = (80, 95)
"""Levels of prediction intervals, in percent."""

SERIES_WINDOW = ["window", "unique_id"]


def evaluate(scored: pd.DataFrame, scales: pd.DataFrame) -> dict[str, float | int | None]:
    """All metrics of one model; those of intervals that it does not have are `None`.

    `scales` has one row per window and series, see `naive_scales`.
    """
    return {
        "wape": wape(scored),
        "bias": bias(scored),
        **scaled_errors(scored, scales),
        **{name: value for level in LEVELS for name, value in interval(scored, level).items()},
    }


def wape(scored: pd.DataFrame) -> float | None:
    """Sum of |a - f| over the sum of |a|, over everything."""
    return ratio((scored["y"] - scored["forecast"]).abs().sum(), scored["y"].abs().sum())


def bias(scored: pd.DataFrame) -> float | None:
    """Sum of f - a over the sum of a, over everything. Positive: the forecast is too high."""
    return ratio((scored["forecast"] - scored["y"]).sum(), scored["y"].sum())


def ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def naive_scales(train: pd.DataFrame) -> pd.DataFrame:
    """In-sample errors of the seasonal naive forecast, for each series: `mae` and `mse`."""
    difference = train["y"] - train.groupby("unique_id")["y"].shift(SEASON)
    errors = pd.DataFrame({"unique_id": train["unique_id"], "mae": difference.abs(), "mse": difference**2})
    return errors.groupby("unique_id", as_index=False).mean()


def scaled_errors(scored: pd.DataFrame, scales: pd.DataFrame) -> dict[str, float | int | None]:
    """MASE and RMSSE (Hyndman and Koehler 2006; Makridakis et al. 2022), with the seasonal naive forecast as scale.

    Each is the mean over windows and series of the error of a series in a window over its scale there. Where the scale
    is 0 (the training days repeat week by week) nothing can be said; `scale_zero` counts these.
    """
    error = scored["y"] - scored["forecast"]
    errors = scored[SERIES_WINDOW].assign(error=error.abs(), square=error**2)
    means = errors.groupby(SERIES_WINDOW, as_index=False).mean().merge(scales, on=SERIES_WINDOW, validate="one_to_one")
    usable = means[means["mae"] > 0]
    return {
        "mase": ratio((usable["error"] / usable["mae"]).sum(), len(usable)),
        "rmsse": ratio(np.sqrt(usable["square"] / usable["mse"]).sum(), len(usable)),
        "scale_zero": len(means) - len(usable),
    }


def interval(scored: pd.DataFrame, level: int) -> dict[str, float | None]:
    """Share of actual values within the interval, bounds included, and its mean width in units."""
    if f"lo-{level}" not in scored:
        return {f"coverage_{level}": None, f"width_{level}": None}
    low, high = scored[f"lo-{level}"], scored[f"hi-{level}"]
    return {
        f"coverage_{level}": float(scored["y"].between(low, high).mean()),
        f"width_{level}": float((high - low).mean()),
    }
