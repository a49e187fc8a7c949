"""The classes speak of the same things as `wit/v0.1`, and the package ships that very contract."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

from retailcast_sdk import contract, features
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


def test_a_built_package_has_the_contract(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path)]
    subprocess.run([*command, str(Path(contract.__file__).parents[1])], check=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        for file in WIT.glob("*.wit"):
            assert wheel.read(f"retailcast_sdk/wit/v0.1/{file.name}") == file.read_bytes()


def test_only_what_is_used_is_imported(tmp_path: Path) -> None:
    contract.write(tmp_path / "plain", KINDS[0], boosting=False)
    contract.write(tmp_path / "boosted", KINDS[0], boosting=True)
    assert "gradient-boosting" not in (tmp_path / "plain" / "python.wit").read_text()
    assert "import gradient-boosting;" in (tmp_path / "boosted" / "python.wit").read_text()
