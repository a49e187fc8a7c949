"""The result of a prediction."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .errors import Numeric, PluginError


@dataclass
class Forecasts:
    """Forecasts of n series and h steps, flat: `series * h + step`. Add one series after the other, in order."""

    horizon: int
    points: list[float] = field(default_factory=list)
    """Point forecasts, n * h; NaN for series in `failures`."""
    levels: list[float] = field(default_factory=list)
    """Interval levels, ascending, each between 0 and 1; empty without intervals."""
    lower: list[float] = field(default_factory=list)
    """Lower bounds, level after level: `(level * n + series) * h + step`."""
    upper: list[float] = field(default_factory=list)
    """Upper bounds, the same layout."""
    failures: list[PluginError] = field(default_factory=list)
    """Series without a forecast, each with its position and reason."""
    fallbacks: list[tuple[int, str]] = field(default_factory=list)
    """Series answered by another method, with its name."""

    def push(self, outcome: list[float] | PluginError) -> None:
        """Adds the points of the next series, or why it has none. Points that are too few, too many or not finite are
        a failure of this series, not of the others.
        """
        if isinstance(outcome, PluginError):
            self._fail(outcome)
        elif len(outcome) != self.horizon:
            self._fail(PluginError(f"the model gave {len(outcome)} points for a horizon of {self.horizon}"))
        elif not all(map(math.isfinite, outcome)):
            step, point = next((step, point) for step, point in enumerate(outcome, 1) if not math.isfinite(point))
            self._fail(Numeric(f"the forecast of step {step} is {point}, not a finite number"))
        else:
            self.points.extend(outcome)

    def _fail(self, error: PluginError) -> None:
        self.failures.append(error.for_series(len(self.points) // self.horizon))
        self.points.extend([math.nan] * self.horizon)
