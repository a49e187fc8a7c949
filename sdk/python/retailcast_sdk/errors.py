"""How a plugin refuses a call. Raise the nearest class: its code decides what the client sees."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False)
class PluginError(Exception):
    """A refusal: a code for programs, a sentence for people. Also the code for whatever fits none of the others."""

    message: str
    """What was refused, the value found, what would be right."""
    series: int | None = None
    """Position of the series it is about (0-based), when it is about one."""
    details: list[tuple[str, str]] = field(default_factory=list)
    """Further facts as name and value."""

    code = "other"
    """The case of `error-code` in `wit/v0.1/types.wit`."""

    def __str__(self) -> str:
        return self.message

    def for_series(self, series: int) -> PluginError:
        """The same refusal, about this series."""
        return with_code(self.code, self.message, series, self.details)


class InvalidConfig(PluginError):
    """The configuration's values do not go together."""

    code = "invalid-config"


class NotEnoughHistory(PluginError):
    """A series is too short. `NotEnoughHistory.needs(14, 3)` writes the sentence."""

    code = "not-enough-history"

    @classmethod
    def needs(cls, needed: int, found: int) -> NotEnoughHistory:
        """A series has `found` values where the model needs `needed`."""
        return cls(f"needs at least {needed} values, found {found}")


class MissingFeature(PluginError):
    """A feature column that the plugin declared or relies on is absent."""

    code = "missing-feature"


class ArtifactMismatch(PluginError):
    """The bytes given to `load` are not a state of this plugin, or of a format that it cannot read."""

    code = "artifact-mismatch"


class Numeric(PluginError):
    """The computation gave no finite number."""

    code = "numeric"


class Unsupported(PluginError):
    """The plugin does not do what was asked, and its description or requirements say so."""

    code = "unsupported"


class Upstream(PluginError):
    """Another service, reached through a granted capability, failed."""

    code = "upstream"


ERRORS = [
    InvalidConfig,
    NotEnoughHistory,
    MissingFeature,
    ArtifactMismatch,
    Numeric,
    Unsupported,
    Upstream,
    PluginError,
]
"""All classes, in the contract's order of codes."""


def with_code(
    code: str, message: str, series: int | None = None, details: list[tuple[str, str]] | None = None
) -> PluginError:
    """The refusal with this code; one of a later contract becomes `other`."""
    error = next((error for error in ERRORS if error.code == code), PluginError)
    return error(message, series, list(details or []))
