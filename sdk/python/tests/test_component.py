"""The glue of the kinds that a component exports, natively: on the classes that componentize-py generates for editors, which
have the shapes of those inside a component. That it works there is for test_templates.py to find out.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from test_embedding import Letters
from test_explain import Last
from test_scenario import Festive

from retailcast_sdk import contract
from retailcast_sdk.build import COMPONENTIZE
from retailcast_sdk.embedding import Failure, OtherKey, Pause
from retailcast_sdk.kinds import Plugin, kind_of

Load = Callable[[Plugin], tuple[object, object, ModuleType]]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Gives the instances that a component exports of a plugin, and the generated module of its interface."""

    def exported(plugin: Plugin) -> tuple[object, object, ModuleType]:
        kind = kind_of(plugin)
        contract.write(tmp_path / "wit", kind, boosting=False)
        command = [sys.executable, "-c", COMPONENTIZE, "--wit-path", str(tmp_path / "wit"), "--world", contract.WORLD]
        subprocess.run([*command, "bindings", str(tmp_path / "bindings")], check=True, capture_output=True)
        monkeypatch.syspath_prepend(tmp_path / "bindings")
        glue = import_module(f"retailcast_sdk.component.{kind.glue}")
        described, interface = glue.exports(plugin)
        return described(), interface(), glue.wit

    yield exported
    for name in list(sys.modules):
        if name.startswith(("wit_world", "componentize_py_", "retailcast_sdk.component")):
            del sys.modules[name]


def refusal(call: Callable[[], object]) -> object:
    """What a refusal carries. Its class is generated, so it is known by name."""
    with pytest.raises(Exception, check=lambda error: type(error).__name__ == "Err") as caught:
        call()
    return caught.value.value


def test_an_explainer(load: Load) -> None:
    plugin, explanation, wit = load(Last)
    described = plugin.describe()
    assert (described.name, described.version, described.licence) == ("last", "0.1.0", "Apache-2.0")
    assert described.kind.name == "EXPLAINER"
    assert json.loads(described.config_schema) == {"type": "object", "properties": {}}
    assert explanation.models() == [wit.ExplainedModel("naive", False)]

    signals = wit.Signals(14, wit.StockSignal(15, 6), wit.PromotionSignal(0, 0), None, wit.Holiday(None))
    fitted = wit.FittedModel(b"state", ["lag_1"], [1.0], 1.0)
    explained = explanation.explain(wit.Subject(1, 2, "naive", "{}", 19_723), [1.0, 2.0], signals, fitted)
    assert explained == wit.Explained(
        wit.Method.RULE_BASED,
        2.0,
        [wit.Driver("last", 2.0, 2.0, wit.Direction.POSITIVE, "The last value.")],
        [wit.ReasonCode(wit.Reason.STOCKOUT_CONSTRAINED, wit.Severity.WARN, "6 days without stock.")],
        wit.Confidence.LOW,
        ["Knows no season."],
        "Last.",
    )
    error = refusal(lambda: explanation.explain(wit.Subject(1, 2, "ets", "{}", 0), [1.0], signals, None))
    assert (error.code.name, error.message) == ("UNSUPPORTED", "ets is not explained here")


def test_a_scenario_adjuster(load: Load) -> None:
    plugin, adjuster, wit = load(Festive)
    assert plugin.describe().kind.name == "SCENARIO_ADJUSTER"
    window = wit.Window(0, 9)
    assumptions = wit.Assumptions(
        wit.PriceChange(-0.1, window), wit.Promotion(wit.PromotionKind.BOGO, window), [1], wit.LifeCycleStage.GROWTH
    )
    adjusted = adjuster.adjust(assumptions, wit.Baseline(0, [3.0, 4.0], [wit.Interval(0.8, [2.0, 3.0], [4.0, 5.0])]))
    assert adjusted == wit.Adjusted([1.0, 2.0], [3.0, 8.0], [wit.Interval(0.8, [2.0, 6.0], [4.0, 10.0])])


def test_an_embedding_provider(load: Load) -> None:
    plugin, embedder, wit = load(Letters)
    described = plugin.describe()
    assert described.kind.name == "EMBEDDING_PROVIDER"
    assert json.loads(described.config_schema)["required"] == ["dimension"]
    assert embedder.limits_of('{"dimension": 2, "model": "m"}') == wit.Limits(8, None, False)
    assert embedder.embed('{"dimension": 2}', wit.Purpose.QUERY, ["ab", "bb"]) == [1, 1, 2, 0]
    assert refusal(lambda: embedder.limits_of("{}")).code.name == "INVALID_CONFIG"
    failure = refusal(lambda: embedder.embed("{}", wit.Purpose.QUERY, ["ab"]))
    assert (failure.error.code.name, failure.remedy) == ("INVALID_CONFIG", wit.Remedy_None_())


@pytest.mark.parametrize("remedy", [None, OtherKey(), Pause(), Pause(2000)])
def test_a_failure_has_its_remedy(load: Load, remedy: object) -> None:
    class Failing(Letters):
        @classmethod
        def embed(cls, *arguments: object) -> list[list[float]]:
            raise Failure("not now", remedy=remedy)

    _, embedder, wit = load(Failing)
    failure = refusal(lambda: embedder.embed('{"dimension": 2}', wit.Purpose.DOCUMENT, ["ab"]))
    expected = {
        None: wit.Remedy_None_(),
        OtherKey(): wit.Remedy_OtherKey(),
        Pause(): wit.Remedy_Pause(None),
        Pause(2000): wit.Remedy_Pause(2000),
    }
    assert (failure.error.code.name, failure.error.message) == ("UPSTREAM", "not now")
    assert failure.remedy == expected[remedy]


def test_a_mistake_is_not_taken_for_a_refusal(load: Load) -> None:
    class Mistaken(Letters):
        @classmethod
        def embed(cls, *arguments: object) -> list[list[float]]:
            return {}["nothing"]

    _, embedder, wit = load(Mistaken)
    with pytest.raises(KeyError):
        embedder.embed('{"dimension": 2}', wit.Purpose.QUERY, ["ab"])
