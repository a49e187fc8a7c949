"""Every template is a project that passes its own tests, builds, and conforms. One build of about 10 s for each.

Conformance is the program's to say, and takes a debug build of it half a minute for each: RETAILCAST names the program, and
without it these tests are skipped.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from components import MOST_INSTANCES, OFFERED, imports, instantiations, sdk

TEMPLATES = Path(__file__).parents[2] / "templates"
PROGRAM = os.environ.get("RETAILCAST")

FILES = {
    "forecast-model": "model.py",
    "explainer": "explainer.py",
    "scenario-adjuster": "adjuster.py",
    "embedding-provider": "provider.py",
}
"""The plugin of each kind's template."""

SAYS = {
    "forecast-model": "2024-",
    "explainer": "usual_level",
    "scenario-adjuster": "factor",
    "embedding-provider": "1536 numbers",
}
"""What `plugin run` says of each."""


@pytest.fixture(scope="module", params=FILES)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def project(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as `retailcast plugin new` writes it, built."""
    folder = tmp_path_factory.mktemp(kind)
    for file in (TEMPLATES / f"python-{kind}").iterdir():
        text = file.read_text()
        # `Names::fill` of host/server/src/cli/plugin/templates.rs.
        for placeholder, name in [("MyModel", "MyPlugin"), ("{{name}}", "my-plugin"), ("{{type}}", "my_plugin")]:
            text = text.replace(placeholder, name)
        (folder / file.name).write_text(text)
    run = sdk("build", folder / FILES[kind], "-o", folder / "my_plugin.wasm")
    assert run.returncode == 0, run.stderr
    assert f"{kind} my_plugin 0.1.0" in run.stdout
    return folder


def test_there_is_no_other_template() -> None:
    assert {folder.name for folder in TEMPLATES.glob("python-*")} == {f"python-{kind}" for kind in FILES}


def test_its_own_tests_pass(project: Path) -> None:
    command = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", str(project)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)
    assert run.returncode == 0, run.stdout


def test_the_readme_names_its_file(kind: str, project: Path) -> None:
    readme = (project / "README.md").read_text()
    assert f"python -m retailcast_sdk build {FILES[kind]}" in readme
    assert "{{" not in readme


def test_imports_only_what_the_host_offers(kind: str, project: Path) -> None:
    component = (project / "my_plugin.wasm").read_bytes()
    found = imports(component)
    assert all(interface.startswith(OFFERED) for interface in found), found
    assert ("retailcast:plugin/data" in found) == (kind == "forecast-model")
    assert 0 < instantiations(component) <= MOST_INSTANCES


@pytest.mark.skipif(PROGRAM is None, reason="RETAILCAST names no program")
def test_conforms_and_can_be_called(kind: str, project: Path) -> None:
    def program(*arguments: str) -> str:
        command = [str(Path(PROGRAM).resolve()), "plugin", *arguments, "my_plugin.wasm"]
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    assert "my_plugin 0.1.0 conforms (level full)" in program("check")
    assert SAYS[kind] in program("run")
