"""The exports of a scenario adjuster."""

from __future__ import annotations

from wit_world.exports import adjuster as wit

from .. import scenario as sdk
from . import describing, mirrored, refusable


def exports(adjuster: type[sdk.ScenarioAdjuster]) -> tuple[type, type]:
    """The classes `Plugin` and `Adjuster` that componentize-py looks for."""

    class Adjuster:
        def adjust(self, assumptions: wit.Assumptions, baseline: wit.Baseline) -> wit.Adjusted:
            assumptions, baseline = mirrored(assumptions, sdk), mirrored(baseline, sdk)
            return mirrored(refusable(lambda: adjuster.adjust(assumptions, baseline)), wit)

    return describing(adjuster), Adjuster
