"""The tutorial shows the example that is tested."""

from pathlib import Path

SDK = Path(__file__).parents[1]
TUTORIAL = SDK.parents[1] / "docs" / "plugins" / "tutorial-python.md"


def test_the_tutorial_shows_the_example() -> None:
    example = (SDK / "examples" / "day_of_week" / "model.py").read_text()
    _, code = example.split("\n\n", 1)
    assert f"```python\n{code.strip()}\n```" in TUTORIAL.read_text()
