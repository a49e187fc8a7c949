"""The plugin contract, `wit/v0.1`: a copy of it comes with the package; in the repository it is read where it stands."""

from __future__ import annotations

from pathlib import Path

from .kinds import Kind

WORLD = "python-plugin"

_INSTALLED = Path(__file__).parent / "wit" / "v0.1"
_REPOSITORY = Path(__file__).parents[3] / "wit" / "v0.1"

# componentize-py keeps every import of a world, called or not, and `gradient-boosting` needs a grant. So the world is
# written here, with what the plugin uses.
_WORLD = """\
package retailcast:plugin@0.1.0;

world {name} {{
{imports}
    export plugin;
    export {interface};
}}
"""


def files() -> dict[str, str]:
    """The contract's files by name."""
    folder = _INSTALLED if _INSTALLED.is_dir() else _REPOSITORY
    return {file.name: file.read_text() for file in sorted(folder.glob("*.wit"))}


def write(folder: Path, kind: Kind, boosting: bool) -> None:
    """Writes the contract and the world of a plugin into a new folder."""
    folder.mkdir()
    for name, text in files().items():
        (folder / name).write_text(text)
    imports = ["log"]
    imports += ["data"] if kind.interface == "forecaster" else []
    imports += ["gradient-boosting"] if boosting else []
    lines = "\n".join(f"    import {interface};" for interface in imports)
    (folder / "python.wit").write_text(_WORLD.format(name=WORLD, imports=lines, interface=kind.interface))
