"""Gradient-boosted trees by the host (LightGBM), at native speed.

A model that imports this module needs the operator's grant `gradient-boosting`. It exists only inside the server: in
tests `train` and `load` refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from .data import FutureData, TrainingData
from .errors import Unsupported, with_code

try:
    from componentize_py_types import Err
    from wit_world.imports import gradient_boosting as _host
except ImportError:
    _host = None

T = TypeVar("T")


class Booster:
    """Trees trained and kept by the host."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    @classmethod
    def train(cls, data: TrainingData, series: int | None, params: Mapping[str, object]) -> Booster:
        """Trains on the rows of one series, or of all (`None`). `params` are LightGBM's by name."""
        texts = [(name, str(value)) for name, value in params.items()]
        return cls(_refusable(lambda: _only_inside_the_server().Booster.train(data, series, texts)))

    @classmethod
    def load(cls, data: bytes) -> Booster:
        """Reads what `save` wrote."""
        return cls(_refusable(lambda: _only_inside_the_server().Booster.load(data)))

    def predict(self, ahead: FutureData, series: int | None) -> list[float]:
        """Predicts the rows of one series, or of all (`None`)."""
        return _refusable(lambda: self._handle.predict(ahead, series))

    def contributions(self, ahead: FutureData, series: int | None) -> list[float]:
        """SHAP values of every feature and then the base value, row after row."""
        return _refusable(lambda: self._handle.contributions(ahead, series))

    def importance(self, kind: Literal["split", "gain"]) -> list[float]:
        """Importance per feature."""
        return self._handle.importance(_host.ImportanceKind[kind.upper()])

    def save(self) -> bytes:
        """LightGBM's text format."""
        return self._handle.save()


def _only_inside_the_server() -> Any:
    if _host is None:
        raise Unsupported("gradient boosting is a capability of the server; it does not exist in tests")
    return _host


def _refusable(call: Callable[[], T]) -> T:
    try:
        return call()
    except Exception as refusal:
        if _host is None or not isinstance(refusal, Err):
            raise
        error = refusal.value
        code = error.code.name.lower().replace("_", "-")
        raise with_code(code, error.message, error.series, error.details) from None
