"""Core modules of a component: what they import, and functions added to them."""

from __future__ import annotations

from .binary import Reader, name, section, sections, sized, u32

TYPES, IMPORTS, FUNCTIONS, MEMORIES, EXPORTS, CODE = 1, 2, 3, 5, 7, 10
FUNCTION = 0x00

TRAP = b"\x00\x00\x0b"
"""A function's body: no locals, `unreachable`, `end`."""

NO_ITEMS = b"\x00" + b"\x20\x00\x41\x00\x36\x02\x00" + b"\x20\x00\x41\x00\x36\x02\x04" + b"\x0b"
"""The body of a function that gets an address and writes an empty list there: `i32.store` of 0, with offsets 0 and 4."""


def has_memory(module: bytes) -> bool:
    """Whether a core module defines the memory that it works on."""
    return any(number == MEMORIES for number, _ in sections(module))


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


def with_functions(module: bytes, functions: dict[str, tuple[bytes, bytes]]) -> bytes:
    """The module with more exported functions: each has a name, a type and a body."""
    contents = dict(sections(module))
    first_type = Reader(contents[TYPES]).u32()
    first_function = len(imported_functions(module)) + Reader(contents[FUNCTIONS]).u32()
    added = {
        TYPES: [signature for signature, _ in functions.values()],
        FUNCTIONS: [u32(first_type + i) for i in range(len(functions))],
        EXPORTS: [name(export) + bytes([FUNCTION]) + u32(first_function + i) for i, export in enumerate(functions)],
        CODE: [sized(body) for _, body in functions.values()],
    }
    changed = [module[:8]]
    for number, content in sections(module):
        if number in added:
            present = Reader(content)
            count = present.u32() + len(functions)
            content = u32(count) + content[present.at :] + b"".join(added[number])
        changed.append(section(number, content))
    return b"".join(changed)
