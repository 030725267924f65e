"""The parts of indexes that a stage used last, in memory; all others are in MongoDB."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

import structlog

from catchwater.errors import InvalidSourceMapError
from catchwater.sourcemaps.lookup import NO_INDEX
from catchwater.sourcemaps.lru import LruCache
from catchwater.sourcemaps.place import NOT_PARSABLE
from catchwater.sourcemaps.place_index import (
    LARGEST_DIRECTORY,
    OBJECTS,
    Block,
    Directory,
    directory_range,
    unpacked,
)
from catchwater.sourcemaps.positions import Map, Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from catchwater.sourcemaps.store import IndexFile

log = structlog.get_logger()

BEGINNING = 16 * 2**10
"""Bytes of an index that are read first: most directories are not longer."""

PLACES = 4_000
"""Places that are remembered, about 1 KB each."""

_Part = Map | str | Block | list[str]


class IndexArchive(Protocol):
    """Where the indexes are: `store.MapStore`. Both raise UnavailableError while it is away."""

    def indexes(self, shas: Sequence[str]) -> dict[str, IndexFile]: ...
    def read_ranges(self, wanted: Sequence[tuple[IndexFile, int, int]]) -> list[bytes]: ...


class IndexCache:
    """`memory` is the bound in bytes on all that is in it, besides the places."""

    def __init__(self, archive: IndexArchive, memory: int) -> None:
        self._archive = archive
        self._parts: LruCache[_Part] = LruCache(memory)
        self._places: Places = LruCache(PLACES)

    def maps(self, shas: Iterable[str]) -> dict[str, Map | str]:
        """The maps, or why they cannot be used."""
        found: dict[str, Map | str] = {}
        missing = []
        for sha in shas:
            known = self._parts.get(sha)
            if isinstance(known, Map | str):
                found[sha] = known
            else:
                missing.append(sha)
        return found | (self._opened(missing) if missing else {})

    def _opened(self, shas: list[str]) -> dict[str, Map | str]:
        files = self._archive.indexes(shas)
        found: dict[str, Map | str] = dict.fromkeys(shas, NO_INDEX)
        beginnings = self._beginnings(files)
        for sha, one in files.items():
            try:
                directory = self._directory(one, beginnings[sha])
                found[sha] = Map(directory, _Parts(self, one, directory), self._places)
                self._parts.put(sha, found[sha], directory.weight)
            except InvalidSourceMapError as error:
                log.warning("the index of a source map cannot be used", map=sha, why=str(error))
                found[sha] = NOT_PARSABLE
        return found

    def _beginnings(self, files: Mapping[str, IndexFile]) -> dict[str, bytes]:
        """The first bytes of each; nothing of one that is gone."""
        try:
            wanted = [(one, 0, BEGINNING) for one in files.values()]
            return dict(zip(files, self._archive.read_ranges(wanted), strict=True))
        except InvalidSourceMapError:
            return dict.fromkeys(files, b"")

    def _directory(self, one: IndexFile, beginning: bytes) -> Directory:
        begins, ends = directory_range(beginning)
        packed = beginning[begins:ends]
        if ends > len(beginning):
            (packed,) = self._archive.read_ranges([(one, begins, ends)])
        return Directory(unpacked(packed, LARGEST_DIRECTORY), ends)

    def parts(
        self,
        one: IndexFile,
        directory: Directory,
        numbers: Iterable[int],
        read: Callable[[bytes], tuple[_Part, int]],
    ) -> dict[int, _Part]:
        """`read`: a part and what it takes in memory."""
        found = {number: self._parts.get((one.id, number)) for number in numbers}
        missing = [number for number, part in found.items() if part is None]
        wanted = [(one, *directory.range_of(number)) for number in missing]
        for number, raw in zip(missing, self._archive.read_ranges(wanted), strict=True):
            part, weight = read(unpacked(raw))
            found[number] = part
            self._parts.put((one.id, number), part, weight)
        return {number: part for number, part in found.items() if part is not None}


class _Parts:
    """Those of one index."""

    def __init__(self, cache: IndexCache, one: IndexFile, directory: Directory) -> None:
        self._cache = cache
        self._of = one, directory

    def blocks(self, numbers: Iterable[int]) -> dict[int, Block]:
        found = self._cache.parts(*self._of, numbers, _block)
        return {number: one for number, one in found.items() if isinstance(one, Block)}

    def pages(self, numbers: Iterable[int]) -> dict[int, list[str]]:
        found = self._cache.parts(*self._of, numbers, _page)
        return {number: one for number, one in found.items() if isinstance(one, list)}


def _block(raw: bytes) -> tuple[Block, int]:
    found = Block(raw)
    return found, found.weight


def _page(raw: bytes) -> tuple[list[str], int]:
    lines = raw.decode("utf-8", "replace").split("\n")[:-1]
    return lines, OBJECTS + sum(map(sys.getsizeof, [lines, *lines]))
