"""From a dataclass to the schema, and from JSON to the dataclass."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import pytest

from retailcast_sdk import InvalidConfig, Range
from retailcast_sdk.config import parse, schema


@dataclass
class Config:
    """What it is for."""

    weeks: Annotated[int, Range(1, 52), "Weeks back."]
    alpha: Annotated[float, Range(minimum=0.0)] = 0.5
    kind: Literal["fast", "slow"] = "slow"
    cap: float | None = None
    lags: list[int] = field(default_factory=lambda: [1, 7])
    trend: bool = False


def test_schema_has_order_bounds_defaults_and_what_is_required() -> None:
    written = schema(Config)
    assert list(written["properties"]) == ["weeks", "alpha", "kind", "cap", "lags", "trend"]
    assert written["required"] == ["weeks"]
    assert written["description"] == "What it is for."
    assert written["properties"] == {
        "weeks": {"type": "integer", "description": "Weeks back.", "minimum": 1, "maximum": 52},
        "alpha": {"type": "number", "minimum": 0.0, "default": 0.5},
        "kind": {"type": "string", "enum": ["fast", "slow"], "default": "slow"},
        "cap": {"type": ["number", "null"], "default": None},
        "lags": {"type": "array", "items": {"type": "integer"}, "default": [1, 7]},
        "trend": {"type": "boolean", "default": False},
    }


def test_parse_fills_in_defaults_and_takes_whole_numbers_for_floats() -> None:
    assert parse(Config, '{"weeks": 3, "alpha": 1, "cap": 2}') == Config(3, 1.0, "slow", 2.0, [1, 7], False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "weeks"),
        ('{"weeks": true}', "weeks is True, not int"),
        ('{"weeks": 1.5}', "weeks is 1.5, not int"),
        ('{"weeks": 1, "kind": "odd"}', "kind is 'odd'"),
        ('{"weeks": 1, "lags": [1, "x"]}', "lags[1] is 'x', not int"),
        ('{"weeks": 1, "wekes": 1}', "unknown field `wekes`"),
        ("[", "does not fit"),
    ],
)
def test_what_does_not_fit_is_named(text: str, words: str) -> None:
    with pytest.raises(InvalidConfig) as refusal:
        parse(Config, text)
    assert words in str(refusal.value)


def test_what_the_host_would_refuse_is_refused_when_the_schema_is_made() -> None:
    @dataclass
    class OutOfBounds:
        weeks: Annotated[int, Range(1, 52)] = 0

    @dataclass
    class Reserved:
        model_type: str = "x"

    @dataclass
    class NoSchema:
        weights: dict[str, bytes] = field(default_factory=dict)

    @dataclass
    class WrongDefault:
        weeks: int = "many"  # type: ignore[assignment]

    for config, words in [
        (OutOfBounds, "outside its bounds 1 to 52"),
        (Reserved, "belongs to the host"),
        (NoSchema, "NoSchema.weights"),
        (WrongDefault, "not int"),
    ]:
        with pytest.raises(TypeError, match=words):
            schema(config)
