"""The classes speak of the same things as `wit/v0.1`, and the package ships that very contract."""

import dataclasses
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from retailcast_sdk import contract, embedding, explain, features, scenario
from retailcast_sdk.errors import ERRORS
from retailcast_sdk.kinds import KINDS
from retailcast_sdk.log import LEVELS

WIT = Path(__file__).parents[3] / "wit" / "v0.1"


def cases(file: str, kind: str, name: str) -> list[str]:
    """The cases of an enum or variant, in order, with whatever stands in parentheses cut off."""
    text = re.sub(r"//.*", "", (WIT / file).read_text())
    body = re.search(rf"\b{kind} {name} \{{(.*?)\}}", text, re.DOTALL)
    assert body, f"{kind} {name} in {file}"
    return [case.split("(")[0].strip() for case in body[1].split(",") if case.strip()]


def record(file: str, name: str) -> list[str]:
    """The fields of a record, in order, as Python spells them."""
    text = re.sub(r"//.*", "", (WIT / file).read_text())
    body = re.search(rf"\brecord {name} \{{(.*?)\}}", text, re.DOTALL)
    assert body, f"record {name} in {file}"
    return [line.split(":")[0].strip().replace("-", "_") for line in body[1].split(",\n") if line.strip()]


def test_error_codes() -> None:
    assert [error.code for error in ERRORS] == cases("types.wit", "enum", "error-code")


def test_log_levels() -> None:
    assert list(LEVELS) == cases("types.wit", "enum", "level")


def test_features() -> None:
    constants = [member for member in vars(features).values() if isinstance(member, features.Feature)]
    sized = [features.lag, features.rolling_mean, features.rolling_std, features.rolling_min]
    sized += [features.rolling_max, features.rolling_sum]
    known = [of(1).kind for of in sized] + [constant.kind for constant in constants]
    assert known == cases("forecast.wit", "variant", "feature")


# What authors do not see: the glue makes it of the classes.
MADE_BY_GLUE = {"explained-model", "failure"}


@pytest.mark.parametrize("subject", [explain, scenario, embedding], ids=lambda module: module.__name__)
def test_the_types_of_a_kind_mirror_the_contract(subject: ModuleType) -> None:
    file = subject.__name__.split(".")[-1] + ".wit"
    text = re.sub(r"//.*", "", (WIT / file).read_text())
    declared = [found for found in re.findall(r"\b(record|enum) ([a-z-]+) \{", text) if found[1] not in MADE_BY_GLUE]
    assert len(declared) >= 2
    for kind, name in declared:
        mirror = getattr(subject, "".join(part.capitalize() for part in name.split("-")))
        if kind == "record":
            assert [field.name for field in dataclasses.fields(mirror)] == record(file, name), name
        else:
            assert [case.name.lower().replace("_", "-") for case in mirror] == cases(file, "enum", name), name
            assert all(case.value == case.name.lower() for case in mirror), name


def test_kinds() -> None:
    assert [kind.name for kind in KINDS] == cases("types.wit", "enum", "plugin-kind")
    worlds = "".join(file.read_text() for file in WIT.glob("*.wit"))
    for kind in KINDS:
        world = re.search(rf"\bworld {kind.name} \{{(.*?)\}}", worlds, re.DOTALL)
        assert world and f"export {kind.interface};" in world[1]
        assert (Path(contract.__file__).parent / "component" / f"{kind.glue}.py").is_file()


def test_a_built_package_has_the_contract(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path)]
    subprocess.run([*command, str(Path(contract.__file__).parents[1])], check=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        for file in WIT.glob("*.wit"):
            assert wheel.read(f"retailcast_sdk/wit/v0.1/{file.name}") == file.read_bytes()
        package = Path(contract.__file__).parent
        modules = {str(file.relative_to(package.parent)) for file in package.rglob("*.py")}
        assert modules <= set(wheel.namelist())


def test_only_what_is_used_is_imported(tmp_path: Path) -> None:
    contract.write(tmp_path / "plain", KINDS[0], boosting=False)
    contract.write(tmp_path / "boosted", KINDS[0], boosting=True)
    contract.write(tmp_path / "other", KINDS[1], boosting=False)
    assert "gradient-boosting" not in (tmp_path / "plain" / "python.wit").read_text()
    assert "import gradient-boosting;" in (tmp_path / "boosted" / "python.wit").read_text()
    assert "import data;" in (tmp_path / "plain" / "python.wit").read_text()
    assert "import data;" not in (tmp_path / "other" / "python.wit").read_text()
