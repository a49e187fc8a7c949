"""The exports of an explainer."""

from __future__ import annotations

from wit_world.exports import explanation as wit

from .. import explain as sdk
from . import describing, mirrored, refusable


def exports(explainer: type[sdk.Explainer]) -> tuple[type, type]:
    """The classes `Plugin` and `Explanation` that componentize-py looks for."""

    class Explanation:
        def models(self) -> list[wit.ExplainedModel]:
            return [wit.ExplainedModel(name, explainer.needs_fitted) for name in explainer.models]

        def explain(
            self, subject: wit.Subject, history: list[float], signals: wit.Signals, fitted: wit.FittedModel | None
        ) -> wit.Explained:
            subject, signals, fitted = (mirrored(given, sdk) for given in (subject, signals, fitted))
            return mirrored(refusable(lambda: explainer.explain(subject, history, signals, fitted)), wit)

    return describing(explainer), Explanation
