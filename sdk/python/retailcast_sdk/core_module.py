"""Core modules of a component: what they import, and functions added that only trap."""

from __future__ import annotations

from .binary import Reader, name, section, sections, u32

TYPES, IMPORTS, FUNCTIONS, EXPORTS, CODE = 1, 2, 3, 7, 10
FUNCTION = 0x00

# No locals, `unreachable`, `end`.
TRAP = b"\x03\x00\x00\x0b"


def _types(module: bytes) -> list[bytes]:
    """The types, as bytes. Only function types exist in what C and Rust compile to."""
    for number, content in sections(module):
        if number == TYPES:
            reader = Reader(content)

            def function() -> None:
                if reader.byte() != 0x60:
                    raise ValueError("a core module declares a type that is not a function's")
                reader.each(reader.byte)
                reader.each(reader.byte)

            return reader.each(lambda: reader.raw(function))
    return []


def imported_functions(module: bytes) -> dict[tuple[str, str], bytes]:
    """The function type (its bytes) of every function that a core module imports, by module and name."""
    found: dict[tuple[str, str], bytes] = {}
    types = _types(module)
    for number, content in sections(module):
        if number == IMPORTS:
            reader = Reader(content)
            for _ in range(reader.u32()):
                key = (reader.name(), reader.name())
                kind = reader.byte()
                if kind == FUNCTION:
                    found[key] = types[reader.u32()]
                else:
                    _skip_import(reader, kind)
    return found


def _skip_import(reader: Reader, kind: int) -> None:
    def limits() -> None:
        if reader.byte() & 1:
            reader.u32()
        reader.u32()

    match kind:
        case 0x01:  # table: type of its elements, limits
            reader.byte()
            limits()
        case 0x02:  # memory
            limits()
        case 0x03:  # global: type, whether it can change
            reader.byte()
            reader.byte()
        case 0x04:  # tag
            reader.byte()
            reader.u32()
        case _:
            raise ValueError(f"a core module imports something of unknown kind {kind}")


def with_traps(module: bytes, traps: dict[str, bytes]) -> bytes:
    """The module with one more exported function per entry (name and function type), each of which traps."""
    contents = dict(sections(module))
    imported = len(imported_functions(module))
    functions, types = Reader(contents[FUNCTIONS]).u32(), Reader(contents[TYPES]).u32()
    added = range(len(traps))
    more = {
        TYPES: list(traps.values()),
        FUNCTIONS: [u32(types + i) for i in added],
        EXPORTS: [name(trap) + bytes([FUNCTION]) + u32(imported + functions + i) for i, trap in enumerate(traps)],
        CODE: [TRAP] * len(traps),
    }
    changed = module[:8]
    for number, content in sections(module):
        if number in more:
            old = Reader(content)
            count = old.u32()
            content = u32(count + len(traps)) + content[old.at :] + b"".join(more[number])
        changed += section(number, content)
    return changed
