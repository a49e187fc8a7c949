"""Takes files and sockets away from a component that componentize-py made.

Python's C library imports `wasi:filesystem` and `wasi:sockets`, whether a model uses them or not, and RetailCast gives
neither to any plugin: it refuses the component. componentize-py's own answer, `--stub-wasi`, replaces every interface of
WASI by a module of its own, which gives more instances (38) than RetailCast allows (16), and takes the clock, random
numbers and standard error away too.

So this replaces the functions of those two packages only, by ones that trap, and drops the imports. Nothing in the file
is renumbered, since whatever is dropped leaves something of its kind in its place:

- an import of an instance: an instance without exports, and its type the type of such a one;
- the alias of a function of it: the alias of another function, which nobody calls;
- the alias of a type of it: a resource type, which nobody uses;
- the core function that lowers a function, or drops a resource: an export of the component's first core module, which
  gets functions with the same types that trap.

What Python code hears when it tries is up to `component`, which answers before the C library is reached.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .binary import Reader, name, section, sections, u32, vector
from .core_module import imported_functions, with_traps

CORE_MODULE, CORE_INSTANCE, INSTANCE, ALIAS, TYPE, CANON, IMPORT = 1, 2, 5, 6, 7, 8, 10

DENIED = ("wasi:filesystem/", "wasi:sockets/")

# Stands where a function of a dropped instance was. Never called.
STAND_IN = ("wasi:cli/exit", "exit")

EMPTY_INSTANCE = b"\x01\x00"
EMPTY_INSTANCE_TYPE = b"\x42\x00"
RESOURCE_TYPE = b"\x3f\x7f\x00"


def without_files_and_sockets(component: bytes) -> bytes:
    """The component without imports of `wasi:filesystem` and `wasi:sockets`. Calling their functions traps.

    Raises `ValueError` when the file is not laid out as componentize-py does it.
    """
    plan = _Plan(component)
    rewritten = [component[:8]]
    for number, content in sections(component):
        rewritten.append(plan.rewrite(number, content))
    return b"".join(rewritten)


@dataclass
class _Indices:
    """How many things of a kind exist so far: the index of the next one."""

    types: int = 0
    functions: int = 0
    instances: int = 0
    modules: int = 0


@dataclass
class _Plan:
    component: bytes
    at: _Indices = field(default_factory=_Indices)
    stand_in: int | None = None
    denied: dict[int, str] = field(default_factory=dict)
    """Dropped instances by index: the interface's name without version."""
    denied_functions: dict[int, str] = field(default_factory=dict)
    """Functions of dropped instances by index: the name of the trap."""
    denied_types: dict[int, str] = field(default_factory=dict)
    """Types of dropped instances by index: the name of the trap that drops one."""

    def __post_init__(self) -> None:
        self.shim, order = _first_instantiated_module(self.component)
        if order != 0:
            raise ValueError("no core instance stands before all others")
        self.traps = _denied_core_functions(self.component)
        self.dropped_types = _types_of_denied_imports(self.component)

    def rewrite(self, number: int, content: bytes) -> bytes:
        match number:
            case 1:
                return section(number, self._module(content))
            case 6:
                return b"".join(self._aliases(content))
            case 7:
                return section(number, self._types(content))
            case 8:
                return b"".join(self._canons(content))
            case 10:
                return b"".join(self._imports(content))
            case 5:
                self.at.instances += Reader(content).u32()
        return section(number, content)

    def _module(self, content: bytes) -> bytes:
        self.at.modules += 1
        return with_traps(content, self.traps) if self.at.modules - 1 == self.shim else content

    def _types(self, content: bytes) -> bytes:
        count = Reader(content).u32()
        defined = range(self.at.types, self.at.types + count)
        self.at.types += count
        if not self.dropped_types.intersection(defined):
            return content
        if count != 1:
            raise ValueError("the type of an imported instance shares its section with others")
        return vector([EMPTY_INSTANCE_TYPE])

    def _imports(self, content: bytes) -> list[bytes]:
        reader, written = Reader(content), []
        for _ in range(reader.u32()):
            entry, interface, _ = _import(reader)
            if interface.startswith(DENIED):
                self.denied[self.at.instances] = interface
                written.append(section(INSTANCE, vector([EMPTY_INSTANCE])))
            else:
                if interface == STAND_IN[0]:
                    self.stand_in = self.at.instances
                written.append(section(IMPORT, vector([entry])))
            self.at.instances += 1
        return written

    def _aliases(self, content: bytes) -> list[bytes]:
        reader, written = Reader(content), []
        for _ in range(reader.u32()):
            entry, sort, instance, export = _alias(reader)
            if sort == 0x05:
                self.at.instances += 1
            if sort == 0x03:
                if instance in self.denied:
                    self.denied_types[self.at.types] = _trap(self.denied[instance], f"[resource-drop]{export}")
                self.at.types += 1
                if instance in self.denied:
                    written.append(section(TYPE, vector([RESOURCE_TYPE])))
                    continue
            if sort == 0x01:
                if instance in self.denied:
                    self.denied_functions[self.at.functions] = _trap(self.denied[instance], export)
                self.at.functions += 1
                if instance in self.denied:
                    if self.stand_in is None:
                        raise ValueError(f"`{STAND_IN[0]}` is not imported before `{self.denied[instance]}`")
                    entry = b"\x01\x00" + u32(self.stand_in) + name(STAND_IN[1])
            written.append(section(ALIAS, vector([entry])))
        return written

    def _canons(self, content: bytes) -> list[bytes]:
        reader, written = Reader(content), []
        for _ in range(reader.u32()):
            entry, kind, index = _canon(reader)
            if kind == 0x00:
                self.at.functions += 1
            denied = {0x01: self.denied_functions, 0x03: self.denied_types}.get(kind, {}).get(index)
            if denied is None:
                written.append(section(CANON, vector([entry])))
            else:
                # A core function: the export `denied` of core instance 0.
                written.append(section(ALIAS, vector([b"\x00\x00\x01\x00" + name(denied)])))
        return written


def _trap(interface: str, function: str) -> str:
    return f"{interface}#{function}"


def _interface(import_name: str) -> str:
    """The name of an interface without its version."""
    return import_name.split("@")[0]


def _first_instantiated_module(component: bytes) -> tuple[int, int]:
    """The core module that is instantiated first, and the index of that instance."""
    at = 0
    for number, content in sections(component):
        if number == CORE_INSTANCE:
            reader = Reader(content)
            for _ in range(reader.u32()):
                if reader.byte() == 0x00:
                    return reader.u32(), at
                at += 1
                reader.each(lambda: (reader.name(), reader.byte(), reader.u32()))
    raise ValueError("the component has no core instance")


def _denied_core_functions(component: bytes) -> dict[str, bytes]:
    """The traps that are needed, with their types: what the core modules import of the denied interfaces."""
    found: dict[str, bytes] = {}
    for number, content in sections(component):
        if number == CORE_MODULE:
            for (module, function), signature in imported_functions(content).items():
                if module.startswith(DENIED):
                    found[_trap(_interface(module), function)] = signature
    return found


def _types_of_denied_imports(component: bytes) -> set[int]:
    found = set()
    for number, content in sections(component):
        if number == IMPORT:
            reader = Reader(content)
            for _ in range(reader.u32()):
                _, interface, type_index = _import(reader)
                if interface.startswith(DENIED):
                    found.add(type_index)
    return found


def _import(reader: Reader) -> tuple[bytes, str, int]:
    """An import of an instance: its bytes, the interface, the index of its type."""
    begin = reader.at
    if reader.byte() not in (0x00, 0x01):
        raise ValueError("an import's name has a form that is unknown here")
    interface = _interface(reader.name())
    if reader.byte() != 0x05:
        raise ValueError(f"`{interface}` is imported, but not as an instance")
    type_index = reader.u32()
    return reader.data[begin : reader.at], interface, type_index


def _alias(reader: Reader) -> tuple[bytes, int, int | None, str]:
    """An alias: its bytes, its sort, and the instance and name that it is an export of, if it is one."""
    begin = reader.at
    sort = reader.byte()
    if sort == 0x00:
        reader.byte()
    target = reader.byte()
    index, export = reader.u32(), ""
    if target == 0x02:
        reader.u32()
    else:
        export = reader.name()
    return reader.data[begin : reader.at], sort, index if target == 0x00 else None, export


def _canon(reader: Reader) -> tuple[bytes, int, int]:
    """A canonical function: its bytes, its kind, the index that it is about."""
    begin = reader.at
    kind = reader.byte()
    if kind in (0x00, 0x01):
        reader.byte()
    elif kind not in (0x02, 0x03, 0x04):
        raise ValueError(f"a canonical function of kind {kind} is unknown here")
    index = reader.u32()
    if kind in (0x00, 0x01):
        reader.each(lambda: reader.u32() if reader.byte() in (0x03, 0x04, 0x05, 0x07) else None)
    if kind == 0x00:
        reader.u32()
    return reader.data[begin : reader.at], kind, index


__all__ = ["without_files_and_sockets"]
