"""Copies the contract into the package when it is built; everything else stands in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

CONTRACT = Path(__file__).parent / "../../wit/v0.1"


class WithContract(build_py):
    """What is installed has no repository around it."""

    def run(self) -> None:
        super().run()
        target = Path(self.build_lib) / "retailcast_sdk/wit/v0.1"
        if self.editable_mode:
            return
        if not CONTRACT.is_dir():
            raise FileNotFoundError(f"{CONTRACT} is missing: build the package in the RetailCast repository")
        target.mkdir(parents=True, exist_ok=True)
        for file in CONTRACT.glob("*.wit"):
            shutil.copy(file, target / file.name)


setup(cmdclass={"build_py": WithContract})
