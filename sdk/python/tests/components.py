"""Looks into built components."""

import subprocess
import sys

from retailcast_sdk import sandbox
from retailcast_sdk.binary import Reader, sections

# What `WASI_OFFERED` of host/runtime/src/sandbox.rs is made of.
OFFERED = ("wasi:cli/", "wasi:clocks/", "wasi:io/", "wasi:random/", "retailcast:plugin/")

# Of host/runtime/src/limits.rs.
MOST_INSTANCES = 16


def sdk(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs a command of the SDK."""
    command = [sys.executable, "-m", "retailcast_sdk", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def imports(component: bytes) -> list[str]:
    """The interfaces that a component imports, without their versions."""
    found = []
    for number, content in sections(component):
        if number == sandbox.IMPORT:
            reader = Reader(content)
            found += [sandbox._import(reader)[1] for _ in range(reader.u32())]
    return found


def instantiations(component: bytes) -> int:
    """How many core instances a component makes of modules."""
    found = 0
    for number, content in sections(component):
        if number == sandbox.CORE_INSTANCE:
            reader = Reader(content)
            for _ in range(reader.u32()):
                if reader.byte() == 0x00:
                    found += 1
                    reader.u32()
                reader.each(lambda: (reader.name(), reader.byte(), reader.u32()))
    return found
