"""Says what to do instead, where a plugin wants what it does not have: files, and modules that were not imported when the
component was built. Without it Python would say that there is no such file, and no such module.
"""

from __future__ import annotations

import builtins
import io
import linecache
import random  # noqa: F401  # componentize-py asks for it later
import sys
import traceback  # noqa: F401  # so does Python, to print an exception
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

def close() -> None:
    """Called once, when the component is built and everything that the model needs is imported."""
    _remember_sources()
    builtins.open = io.open = _refuse
    sys.path.clear()
    sys.path_importer_cache.clear()
    sys.meta_path.append(_NotImportedAtBuild())


def _refuse(*_args: object, **_options: object) -> None:
    raise PermissionError("plugins have no files; put constants into a Python module that model.py imports")


class _NotImportedAtBuild:
    """Is asked for modules that nobody else finds."""

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        raise ModuleNotFoundError(
            f"`{name}` was not imported when the component was built; import it at the top of model.py, not in a function",
            name=name,
        )


def _remember_sources() -> None:
    """So that tracebacks show lines: they are read from files otherwise."""
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if path and path.endswith(".py") and linecache.getlines(path):
            size, _, lines, name = linecache.cache[path]
            # Without a time of modification nobody asks whether the file has changed.
            linecache.cache[path] = (size, None, lines, name)
