"""Run a plugin under pytest: the same class, on data in memory, without WebAssembly.

    def test_keeps_the_laws():
        panel = Panel.of([1.0, 2.0, 3.0], [4.0, 5.0])
        check_laws(Drift, {"window": 2}, panel, horizon=7)

Every kind has a function that calls the plugin once and demands of the answer what the host demands (`fit_predict`,
`explain`, `adjust`, `embed`), and one that tries what `retailcast plugin check` tries, as far as that needs no server
(`check_laws`, `check_explainer`, `check_adjuster`, `check_provider`). They raise `AssertionError` with what is broken.
"""

from .embedding import check_provider, cosine, embed
from .explain import check_explainer, every_signal, explain, subject
from .forecast import Future, Panel, check_laws, fit_predict
from .laws import NEW_YEAR_2024
from .scenario import adjust, baseline, check_adjuster

__all__ = [
    "NEW_YEAR_2024",
    "Future",
    "Panel",
    "adjust",
    "baseline",
    "check_adjuster",
    "check_explainer",
    "check_laws",
    "check_provider",
    "cosine",
    "embed",
    "every_signal",
    "explain",
    "fit_predict",
    "subject",
]
