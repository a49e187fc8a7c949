"""Which class is of which kind, and what is said of classes that are of none."""

from pathlib import Path

import pytest

from retailcast_sdk import Info
from retailcast_sdk.explain import Explainer
from retailcast_sdk.kinds import KINDS, config_schema, kind_of
from retailcast_sdk.scenario import Adjusted, Assumptions, Baseline, ScenarioAdjuster, multiply
from retailcast_sdk.source import NoPlugin, find_plugin

INFO = Info("twice", "0.1.0", "Apache-2.0", "For tests.")


class Twice(ScenarioAdjuster):
    info = INFO

    @classmethod
    def adjust(cls, assumptions: Assumptions, baseline: Baseline) -> Adjusted:
        return multiply(baseline, [2.0] * len(baseline.points))


def test_a_class_is_of_the_kind_that_it_inherits() -> None:
    assert kind_of(Twice).name == "scenario-adjuster"
    assert config_schema(Twice) == {"type": "object", "properties": {}}
    for kind in KINDS:
        for base in kind.bases:
            members = {name: ("naive",) if name == "models" else object for name in kind.declares}
            assert kind_of(type("Some", (base,), members)) is kind


def test_none_several_and_incomplete_ones_are_refused() -> None:
    class Both(Twice, Explainer):
        models = ("naive",)

    class Nameless(ScenarioAdjuster):
        pass

    class Silent(Explainer):
        info = INFO

    for plugin, words in [
        (int, "it is of none"),
        (Both, "it is of explainer and scenario-adjuster"),
        (Nameless, "kind scenario-adjuster; it must define `info`"),
        (Silent, "kind explainer; it must define `models`"),
    ]:
        with pytest.raises(TypeError, match=words):
            kind_of(plugin)


@pytest.mark.parametrize("models", ["naive", (), []])
def test_models_are_a_tuple_of_model_types(models: object) -> None:
    with pytest.raises(TypeError, match=r'not a tuple of model types such as \("naive",\)'):
        type("Wrong", (Explainer,), {"models": models})


def test_an_unfinished_class_is_no_plugin_and_told_why(tmp_path: Path) -> None:
    file = tmp_path / "unfinished_plugin.py"
    file.write_text("from retailcast_sdk.scenario import ScenarioAdjuster\nclass Mine(ScenarioAdjuster):\n    pass\n")
    with pytest.raises(NoPlugin, match="it defines none; `Mine` lacks `adjust`"):
        find_plugin(file)


def test_one_of_several_must_be_chosen(tmp_path: Path) -> None:
    file = tmp_path / "several_plugins.py"
    file.write_text(
        "from test_kinds import INFO, Twice\nfrom retailcast_sdk.scenario import ScenarioAdjuster\n"
        "class One(Twice):\n    pass\nclass Two(Twice):\n    pass\n"
    )
    with pytest.raises(NoPlugin, match="it defines `One`, `Two` .choose one"):
        find_plugin(file)
    assert find_plugin(file, "Two").__name__ == "Two"
    with pytest.raises(NoPlugin, match="defines no plugin `Three`; it defines `One`, `Two`"):
        find_plugin(file, "Three")
