"""Takes files and sockets away from a component that componentize-py made.

Python's C library imports `wasi:filesystem` and `wasi:sockets`, whether a model uses them or not, and RetailCast gives
neither to any plugin: it refuses the component. componentize-py's own answer, `--stub-wasi`, replaces every interface of
WASI by a module of its own, which gives more instances (38) than RetailCast allows (16), and takes the clock, random
numbers and standard error away too.

So this replaces the functions of those two packages only, and drops the imports. `get-directories` answers that there
are none, and so every attempt to open or look at a file ends in Python's `FileNotFoundError`; what could only be called
with an open file or a socket traps.

Nothing in the file is renumbered, since whatever is dropped leaves something of its kind in its place:

- an import of an instance: an instance without exports, and its type the type of such a one;
- the alias of a function of it: the alias of another function, which nobody calls;
- the alias of a type of it: a resource type, which nobody uses;
- the core function that lowers a function, or drops a resource: an export of the core module that has the memory, which
  gets functions with the same types.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .binary import Reader, name, section, sections, u32, vector
from .core_module import NO_ITEMS, TRAP, has_memory, imported_functions, with_functions

CORE_MODULE, CORE_INSTANCE, INSTANCE, ALIAS, TYPE, CANON, IMPORT = 1, 2, 5, 6, 7, 8, 10
FUNCTION_SORT, TYPE_SORT, INSTANCE_SORT = 0x01, 0x03, 0x05
LIFT, LOWER, NEW, DROP, REP = range(5)

DENIED = ("wasi:filesystem/", "wasi:sockets/")

NO_DIRECTORIES = "wasi:filesystem/preopens#get-directories"

# Stands where a function of a dropped instance was. Never called.
STAND_IN = ("wasi:cli/exit", "exit")

EMPTY_INSTANCE = b"\x01\x00"
EMPTY_INSTANCE_TYPE = b"\x42\x00"
RESOURCE_TYPE = b"\x3f\x7f\x00"


def without_files_and_sockets(component: bytes) -> bytes:
    """The component without imports of `wasi:filesystem` and `wasi:sockets`.

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
    core_modules: int = 0
    core_instances: int = 0


@dataclass
class _Plan:
    component: bytes
    at: _Indices = field(default_factory=_Indices)
    stand_in: int | None = None
    denied: dict[int, str] = field(default_factory=dict)
    """Dropped instances by index: the interface's name without version."""
    denied_functions: dict[int, str] = field(default_factory=dict)
    """Functions of dropped instances by index: the name of the replacement."""
    denied_types: dict[int, str] = field(default_factory=dict)
    """Types of dropped instances by index: the name of the replacement that drops one."""

    def __post_init__(self) -> None:
        self.home = _module_with_memory(self.component)
        self.home_instance = _instance_of(self.component, self.home)
        self.replacements = _replacements(self.component)
        self.dropped_types = _types_of_denied_imports(self.component)

    def rewrite(self, number: int, content: bytes) -> bytes:
        """What stands in the place of a section."""
        change = {
            CORE_MODULE: self._module,
            CORE_INSTANCE: self._core_instances,
            INSTANCE: self._instances,
            ALIAS: self._aliases,
            TYPE: self._types,
            CANON: self._canons,
            IMPORT: self._imports,
        }.get(number)
        return change(content) if change else section(number, content)

    def _module(self, content: bytes) -> bytes:
        self.at.core_modules += 1
        if self.at.core_modules - 1 == self.home:
            content = with_functions(content, self.replacements)
        return section(CORE_MODULE, content)

    def _core_instances(self, content: bytes) -> bytes:
        self.at.core_instances += Reader(content).u32()
        return section(CORE_INSTANCE, content)

    def _instances(self, content: bytes) -> bytes:
        self.at.instances += Reader(content).u32()
        return section(INSTANCE, content)

    def _types(self, content: bytes) -> bytes:
        count = Reader(content).u32()
        defined = range(self.at.types, self.at.types + count)
        self.at.types += count
        if not self.dropped_types.intersection(defined):
            return section(TYPE, content)
        if count != 1:
            raise ValueError("the type of an imported instance shares its section with others")
        return section(TYPE, vector([EMPTY_INSTANCE_TYPE]))

    def _imports(self, content: bytes) -> bytes:
        reader = Reader(content)
        return b"".join(self._import(*_import(reader)[:2]) for _ in range(reader.u32()))

    def _import(self, entry: bytes, interface: str) -> bytes:
        index = self.at.instances
        self.at.instances += 1
        if interface.startswith(DENIED):
            self.denied[index] = interface
            return section(INSTANCE, vector([EMPTY_INSTANCE]))
        if interface == STAND_IN[0]:
            self.stand_in = index
        return section(IMPORT, vector([entry]))

    def _aliases(self, content: bytes) -> bytes:
        reader = Reader(content)
        return b"".join(self._alias(*_alias(reader)) for _ in range(reader.u32()))

    def _alias(self, entry: bytes, sort: int, instance: int | None, export: str) -> bytes:
        interface = self.denied.get(instance) if instance is not None else None
        if sort == INSTANCE_SORT:
            self.at.instances += 1
        if sort == TYPE_SORT:
            if interface is not None:
                self.denied_types[self.at.types] = _name(interface, f"[resource-drop]{export}")
            self.at.types += 1
            if interface is not None:
                return section(TYPE, vector([RESOURCE_TYPE]))
        if sort == FUNCTION_SORT:
            if interface is not None:
                self.denied_functions[self.at.functions] = _name(interface, export)
                if self.stand_in is None:
                    raise ValueError(f"`{STAND_IN[0]}` is not imported before `{interface}`")
                entry = bytes([FUNCTION_SORT, 0x00]) + u32(self.stand_in) + name(STAND_IN[1])
            self.at.functions += 1
        return section(ALIAS, vector([entry]))

    def _canons(self, content: bytes) -> bytes:
        reader = Reader(content)
        return b"".join(self._canon(*_canon(reader)) for _ in range(reader.u32()))

    def _canon(self, entry: bytes, kind: int, index: int) -> bytes:
        if kind == LIFT:
            self.at.functions += 1
        replacement = {LOWER: self.denied_functions, DROP: self.denied_types}.get(kind, {}).get(index)
        if replacement is None:
            return section(CANON, vector([entry]))
        if self.at.core_instances <= self.home_instance:
            raise ValueError(f"`{replacement}` is needed before there is a memory")
        core_function = b"\x00\x00\x01" + u32(self.home_instance) + name(replacement)
        return section(ALIAS, vector([core_function]))


def _name(interface: str, function: str) -> str:
    """The name of what replaces a function, as an export of the module with the memory."""
    return f"{interface}#{function}"


def _interface(import_name: str) -> str:
    """The name of an interface without its version."""
    return import_name.split("@")[0]


def _module_with_memory(component: bytes) -> int:
    modules = [content for number, content in sections(component) if number == CORE_MODULE]
    found = [index for index, module in enumerate(modules) if has_memory(module)]
    if len(found) != 1:
        raise ValueError(f"{len(found)} core modules define a memory; one is expected")
    return found[0]


def _instance_of(component: bytes, module: int) -> int:
    """The index of the core instance that a core module becomes."""
    at = 0
    for number, content in sections(component):
        if number == CORE_INSTANCE:
            reader = Reader(content)
            for _ in range(reader.u32()):
                if reader.byte() == 0x00 and reader.u32() == module:
                    return at
                # What it is given, or what it consists of: both are names of something with a sort and an index.
                reader.each(lambda: (reader.name(), reader.byte(), reader.u32()))
                at += 1
    raise ValueError(f"core module {module} is never instantiated")


def _replacements(component: bytes) -> dict[str, tuple[bytes, bytes]]:
    """The functions that are needed, with type and body: what the core modules import of the denied interfaces."""
    found: dict[str, tuple[bytes, bytes]] = {}
    for number, content in sections(component):
        if number == CORE_MODULE:
            for (module, function), signature in imported_functions(content).items():
                if module.startswith(DENIED):
                    replaced = _name(_interface(module), function)
                    found[replaced] = (signature, NO_ITEMS if replaced == NO_DIRECTORIES else TRAP)
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
    if kind in (LIFT, LOWER):
        reader.byte()
    elif kind not in (NEW, DROP, REP):
        raise ValueError(f"a canonical function of kind {kind} is unknown here")
    index = reader.u32()
    if kind in (LIFT, LOWER):
        reader.each(lambda: reader.u32() if reader.byte() in (0x03, 0x04, 0x05, 0x07) else None)
    if kind == LIFT:
        reader.u32()
    return reader.data[begin : reader.at], kind, index

