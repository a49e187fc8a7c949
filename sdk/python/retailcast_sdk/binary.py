"""Reading and writing of WebAssembly's binary format, as far as `sandbox` needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Reader:
    """Reads from the front of some bytes."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def more(self) -> bool:
        """Whether anything is left."""
        return self.at < len(self.data)

    def byte(self) -> int:
        """One byte."""
        self.at += 1
        return self.data[self.at - 1]

    def u32(self) -> int:
        """A number in LEB128."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def bytes(self) -> bytes:
        """A length and that many bytes."""
        length = self.u32()
        self.at += length
        return self.data[self.at - length : self.at]

    def name(self) -> str:
        """A length and that many bytes of UTF-8."""
        return self.bytes().decode()

    def each(self, read: Callable[[], T]) -> list[T]:
        """A count and that many things."""
        return [read() for _ in range(self.u32())]

    def raw(self, read: Callable[[], object]) -> bytes:
        """The bytes of whatever `read` reads."""
        begin = self.at
        read()
        return self.data[begin : self.at]


def sections(binary: bytes) -> Iterator[tuple[int, bytes]]:
    """The sections of a module or component, each with its number, in order."""
    reader = Reader(binary, 8)
    while reader.more():
        yield reader.byte(), reader.bytes()


def u32(value: int) -> bytes:
    """A number in LEB128."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def sized(content: bytes) -> bytes:
    """A length and the content."""
    return u32(len(content)) + content


def name(text: str) -> bytes:
    """A name."""
    return sized(text.encode())


def vector(items: list[bytes]) -> bytes:
    """A count and the items."""
    return u32(len(items)) + b"".join(items)


def section(number: int, content: bytes) -> bytes:
    """A section."""
    return bytes([number]) + sized(content)
