"""A component of an example has no import that the host would refuse. One build of about 10 s for all tests."""

import json
from pathlib import Path

import pytest
from components import MOST_INSTANCES, OFFERED, imports, instantiations, sdk

from retailcast_sdk.sandbox import without_files_and_sockets

EXAMPLE = Path(__file__).parents[1] / "examples" / "tsb" / "model.py"


@pytest.fixture(scope="session")
def component(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    output = tmp_path_factory.mktemp("component") / "tsb.wasm"
    run = sdk("build", EXAMPLE, "-o", output)
    assert run.returncode == 0, run.stderr
    assert "forecast-model tsb 0.1.0" in run.stdout
    return output.read_bytes()


def test_imports_only_what_the_host_offers(component: bytes) -> None:
    found = imports(component)
    assert all(interface.startswith(OFFERED) for interface in found), found
    assert {name for name in found if name.startswith("retailcast:")} == {
        "retailcast:plugin/types",
        "retailcast:plugin/log",
        "retailcast:plugin/data",
    }


def test_has_no_more_instances_than_the_host_allows(component: bytes) -> None:
    assert 0 < instantiations(component) <= MOST_INSTANCES


def test_nothing_is_left_to_take_away(component: bytes) -> None:
    again = without_files_and_sockets(component)
    assert imports(again) == imports(component)


def test_the_schema_is_printed() -> None:
    run = sdk("schema", EXAMPLE)
    assert list(json.loads(run.stdout)["properties"]) == ["variant", "alpha_size", "alpha_time"]


def test_a_file_without_a_model_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "empty_model.py"
    file.write_text("X = 1\n")
    run = sdk("build", file)
    assert run.returncode == 2
    assert "must define one plugin; it defines none" in run.stderr


def test_gradient_boosting_is_for_forecast_models(tmp_path: Path) -> None:
    file = tmp_path / "greedy_plugin.py"
    file.write_text(
        "import retailcast_sdk.boosting\nfrom retailcast_sdk import Info\n"
        "from retailcast_sdk.scenario import ScenarioAdjuster, multiply\n"
        "class Greedy(ScenarioAdjuster):\n"
        "    info = Info('greedy', '0.1.0', 'Apache-2.0', 'For tests.')\n"
        "    @classmethod\n"
        "    def adjust(cls, assumptions, baseline):\n"
        "        return multiply(baseline, [1.0] * len(baseline.points))\n"
    )
    run = sdk("build", file)
    assert run.returncode == 2
    assert "which forecast models have, and no scenario-adjuster has" in run.stderr
    assert json.loads(sdk("schema", file).stdout) == {"type": "object", "properties": {}}


def test_check_needs_the_program(tmp_path: Path) -> None:
    file = tmp_path / "x.wasm"
    file.write_bytes(b"")
    run = sdk("check", file, "--retailcast", "no-such-program")
    assert run.returncode == 2
    assert "`no-such-program` is not in PATH" in run.stderr
