"""The tutorial shows the example that is tested, and its other code runs."""

import re
from pathlib import Path

SDK = Path(__file__).parents[1]
TUTORIAL = SDK.parents[1] / "docs" / "plugins" / "tutorial-python.md"


def test_the_tutorial_shows_the_example() -> None:
    example = (SDK / "examples" / "day_of_week" / "model.py").read_text()
    _, code = example.split("\n\n", 1)
    assert f"```python\n{code.strip()}\n```" in TUTORIAL.read_text()


def test_the_adjuster_of_the_tutorial_keeps_the_laws() -> None:
    _, section = TUTORIAL.read_text().split("## The other kinds\n")
    blocks = re.findall(r"```python\n(.*?)```", section.split("\n## ")[0], re.DOTALL)
    assert len(blocks) == 2
    defined: dict = {}
    exec("\n".join(blocks), defined)
    defined["test_keeps_the_laws"]()
