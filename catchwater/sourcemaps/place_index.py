"""How the places of a map are stored, so that an event finds one without parsing anything.

Pure. An index is a directory, blocks of mappings, and pages of the lines of its sources. Each is
compressed alone: who looks a position up reads the directory once, a block, and a page or two, and
none of them is long, whatever the map was. All numbers are little-endian.

The index is `size of the packed directory (I), packed directory, packed blocks, packed pages`.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from bisect import bisect_right
from typing import Any, NamedTuple

import orjson

from catchwater.errors import InvalidSourceMapError

LINE = 2**32
"""A position as one number: line * LINE + column, both from 0."""

NOTHING = 2**32 - 1
"""Where a mapping has none: no source, no name, no text, no function that anybody can tell."""

UNREAD = 2**32 - 2
"""In the place of a function: its source could not be read."""

IGNORED, AT_BRACE = 1, 2
"""Flags of a mapping: the map says to pass its source over; a `}` stands there."""

LONGEST_BLOCK = 256
"""Mappings of a block."""

HEAVIEST_BLOCK = 32 * 2**10
"""Bytes of texts from which on no other mapping is added to a block."""

PAGE = 64
"""Lines of a page."""

LARGEST_PART = 2**20
"""Bytes of a block or a page, unpacked. The largest of all: a page of 64 lines of 162 characters
of four bytes has 42 kB, a block 32 kB of texts and those of its last mapping besides its numbers.
"""

LARGEST_DIRECTORY = 4 * 2**20
"""Bytes of a directory, unpacked: of 5 million mappings and as many lines of source 0.7 MB."""

OBJECTS = 1_000
"""Bytes of memory that a part takes besides its arrays, with its place in a cache. Measured."""

_HEAD = struct.Struct("<I")
_COUNTS = struct.Struct("<III")
_BLOCK = struct.Struct("<II")


class Mapping(NamedTuple):
    """What a position comes from. Numbers count from 0, `file`, `name`, `function` and `window`
    are of texts of its block. `row`: its line among all lines of all pages; `window`: the part
    of that line around the column, where it is too long for its page.
    """

    file: int
    line: int
    column: int
    name: int
    function: int
    window: int
    row: int
    flags: int


FIELDS = len(Mapping._fields)


class Directory:
    """Where each part of an index is. `facts` is what the upload says of the map as a whole."""

    def __init__(self, raw: bytes, at: int) -> None:
        """`at`: where the parts begin in the index. Raises InvalidSourceMapError."""
        try:
            self.blocks, self.pages, length = _COUNTS.unpack_from(raw)
            begins = _COUNTS.size + length
            self.facts: dict[str, Any] = orjson.loads(raw[_COUNTS.size : begins])
            self._keys = array("Q", raw[begins : begins + 8 * self.blocks])
            self._ends = array("I", raw[begins + 8 * self.blocks :])
        except (struct.error, ValueError) as error:
            raise InvalidSourceMapError(f"not a directory of an index: {error}") from error
        if len(self._ends) != self.blocks + self.pages or len(self._keys) != self.blocks:
            raise InvalidSourceMapError("not a directory of an index: its lengths differ")
        self._at = at
        self.parts = self.blocks + self.pages
        self.weight = OBJECTS + sum(map(sys.getsizeof, (self._keys, self._ends, raw[:begins])))

    def block_of(self, key: int) -> int | None:
        """The part in which the mapping that covers a position is; None before the first one."""
        found = bisect_right(self._keys, key) - 1
        return found if found >= 0 else None

    def page_of(self, row: int) -> int:
        """The part that a line of source is in."""
        number: int = self.blocks + row // PAGE
        return number

    def range_of(self, part: int) -> tuple[int, int]:
        """From where to where it goes in the index."""
        begins = self._ends[part - 1] if part else 0
        return self._at + begins, self._at + self._ends[part]


class Block:
    """Mappings of neighbours, in order. `weight` is what it takes in memory, in bytes."""

    __slots__ = ("_ends", "_fields", "_keys", "_texts", "weight")

    def __init__(self, raw: bytes) -> None:
        """Of what was made by BlockWriter."""
        count, texts = _BLOCK.unpack_from(raw)
        numbers = _BLOCK.size + 8 * count
        ends = numbers + 4 * FIELDS * count
        begins = ends + 4 * texts
        self._keys = array("Q", raw[_BLOCK.size : numbers])
        self._fields = array("I", raw[numbers:ends])
        self._ends = array("I", raw[ends:begins])
        self._texts = raw[begins:]
        parts = (self._keys, self._fields, self._ends, self._texts)
        self.weight = OBJECTS + sum(map(sys.getsizeof, parts))

    def covering(self, key: int) -> tuple[int, Mapping] | None:
        """The mapping that covers a position of its own line, and where that begins; None where
        none does, or it is of no source.
        """
        at = bisect_right(self._keys, key) - 1
        if at < 0 or self._keys[at] // LINE != key // LINE:
            return None
        found = Mapping(*self._fields[at * FIELDS : (at + 1) * FIELDS])
        return None if found.file == NOTHING else (self._keys[at], found)

    def text(self, number: int) -> str:
        """'' where there is none."""
        if number >= UNREAD:
            return ""
        begins = self._ends[number - 1] if number else 0
        return self._texts[begins : self._ends[number]].decode("utf-8", "replace")


class BlockWriter:
    """A block that is made."""

    def __init__(self) -> None:
        self.keys = array("Q")
        self._fields = array("I")
        self._numbers: dict[str, int] = {}
        self._texts: list[bytes] = []
        self._weight = 0

    @property
    def is_full(self) -> bool:
        return len(self.keys) >= LONGEST_BLOCK or self._weight >= HEAVIEST_BLOCK

    def add(self, key: int, mapping: Mapping | None) -> None:
        """None: what comes from nowhere."""
        self.keys.append(key)
        self._fields.extend(mapping or (NOTHING,) * FIELDS)

    def number(self, text: str) -> int:
        """Of a text in this block."""
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self._texts)
            self._texts.append(text.encode("utf-8", "replace"))
            self._weight += len(self._texts[-1])
        return found

    def packed(self) -> bytes:
        ends, at = array("I"), 0
        for text in self._texts:
            at += len(text)
            ends.append(at)
        head = _BLOCK.pack(len(self.keys), len(self._texts))
        numbers = self.keys.tobytes() + self._fields.tobytes() + ends.tobytes()
        return packed(b"".join([head, numbers, *self._texts]))


def packed(part: bytes) -> bytes:
    return zlib.compress(part, 6)


def unpacked(part: bytes, largest: int = LARGEST_PART) -> bytes:
    """Raises InvalidSourceMapError for what is damaged, or longer than any part is."""
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(part, largest)
    except zlib.error as error:
        raise InvalidSourceMapError(f"a damaged part of an index: {error}") from error
    if not unpacker.eof:
        raise InvalidSourceMapError(f"a part of an index of more than {largest:,} bytes")
    return raw


def joined(
    facts: dict[str, Any], keys: array[int], blocks: list[bytes], pages: list[bytes]
) -> bytes:
    """The index. `keys`: where each block begins."""
    told, ends, at = orjson.dumps(facts), array("I"), 0
    for part in (*blocks, *pages):
        at += len(part)
        ends.append(at)
    head = _COUNTS.pack(len(blocks), len(pages), len(told)) + told
    directory = packed(head + keys.tobytes() + ends.tobytes())
    return b"".join([_HEAD.pack(len(directory)), directory, *blocks, *pages])


def directory_range(beginning: bytes) -> tuple[int, int]:
    """Where the packed directory is, by the first bytes of an index.

    Raises InvalidSourceMapError.
    """
    if len(beginning) < _HEAD.size:
        raise InvalidSourceMapError("not an index: it is empty")
    (length,) = _HEAD.unpack_from(beginning)
    return _HEAD.size, _HEAD.size + length
