"""Maps as a stage has them, without a server: read by the process that reads them at an upload."""

from __future__ import annotations

from collections.abc import Sequence

from catchwater.sourcemaps.index_cache import IndexCache
from catchwater.sourcemaps.place import Place
from catchwater.sourcemaps.positions import Map
from catchwater.sourcemaps.store import IndexFile
from catchwater.sourcemaps.upload.map_reader import MapReader

READER = MapReader()
"""One process for all tests that do not end it; conftest does."""


class Bytes:
    """Indexes in memory. `questions`: what was read of them."""

    def __init__(self, *indexes: bytes) -> None:
        self._indexes = indexes
        self.questions: list[int] = []

    def indexes(self, shas: Sequence[str]) -> dict[str, IndexFile]:
        return {sha: IndexFile(int(sha), len(self._indexes[int(sha)]), 2**14) for sha in shas}

    def read_ranges(self, wanted: Sequence[tuple[IndexFile, int, int]]) -> list[bytes]:
        self.questions.append(len(wanted))
        return [self._indexes[one.id][begins:ends] for one, begins, ends in wanted]


def opened(index: bytes, memory: int = 32 * 2**20) -> Map:
    found = IndexCache(Bytes(index), memory).maps(["0"])["0"]
    assert isinstance(found, Map)
    return found


def map_of(raw: bytes) -> Map:
    return opened(READER.read(raw).index)


def place(one: Map, line: int, column: int) -> Place | str:
    return one.places([(line, column)])[line, column]
