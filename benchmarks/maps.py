"""What a mapped frame costs: a position of a script to a place in its source, by an index."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import orjson

from benchmarks.report import Figure
from catchwater.sourcemaps.index_cache import IndexCache
from catchwater.sourcemaps.store import IndexFile
from catchwater.sourcemaps.upload.map_reader import MapReader
from stages.grouping.snippet import read
from stages.grouping.source_frames import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from catchwater.sourcemaps.positions import Map
    from stages.grouping.parsed_event import ParsedEvent

FRAMES = 8
SOURCES = 50
MANY = 460
LINES = 400
_SOURCE = "".join(
    f"function step{n}(order) {{ return order.lines[{n}].total(); }}\n" for n in range(LINES)
)


class Archive:
    """One index, in memory."""

    def __init__(self, index: bytes) -> None:
        self._index = index

    def indexes(self, shas: Sequence[str]) -> dict[str, IndexFile]:
        return {sha: IndexFile(sha, len(self._index), 2**14) for sha in shas}

    def read_ranges(self, wanted: Sequence[tuple[IndexFile, int, int]]) -> list[bytes]:
        return [self._index[begins:ends] for _, begins, ends in wanted]


class OneMap:
    """One map, for every script."""

    def __init__(self, index: bytes) -> None:
        self._cache = IndexCache(Archive(index), 32 * 2**20)

    def knows(self, project: str) -> bool:
        return bool(project)

    def find(
        self, project: str, release: str, wanted: Mapping[str, str], dist: str = ""
    ) -> Mapping[str, Map | str]:
        assert project not in (release, dist)
        return dict.fromkeys(wanted, self._cache.maps(["one"])["one"])


def map_figures(count: int, runs: int) -> list[Figure]:
    """CPU microseconds a frame: of events whose positions were seen before, and of positions
    that are new; and of the first event that needs a map.
    """
    seen = Figure("source maps: a frame, seen before", "us", [], mark=20, lower_is_better=True)
    new = Figure("source maps: a frame, a new position", "us", [])
    size = f"{len(made(MANY)) / 1e6:.0f} MB"
    first = Figure(f"source maps: the first event of a map of {size}", "ms", [])
    first.mark, first.lower_is_better = 20, True
    at_upload = Figure(f"source maps: read a map of {size} at its upload", "ms", [])
    with closing(MapReader()) as reader:
        index = reader.read(made()).index
        for _ in range(runs):
            spent = reader.spent
            large = reader.read(made(MANY)).index
            at_upload.runs.append((reader.spent - spent) * 1e3)
            first.runs.append(_first(OneMap(large)))
            one = OneMap(index)
            new.runs.append(_events(one, count // 10, 1))
            seen.runs.append(_events(one, count, 0))
    return [seen, new, first, at_upload]


def made(sources: int = SOURCES) -> bytes:
    """A map of sources of four hundred lines, one on each line of the script."""
    files = {
        "sources": [f"src/a{n}.js" for n in range(sources)],
        "sourcesContent": [_SOURCE] * sources,
    }
    first = ["AAAA", *["AACA"] * (LINES - 1)]
    later = ["AC/YA", *["AACA"] * (LINES - 1)]  # the next source, from its first line on
    mappings = ";".join(first + later * (sources - 1))
    return orjson.dumps({"version": 3, "names": [], "mappings": mappings} | files)


def _first(maps: OneMap) -> float:
    """CPU milliseconds of an event when nothing of its map is in memory."""
    details = _report(range(1, 20_000, 400))
    started = time.process_time()
    resolve(details, "1", maps)
    taken = (time.process_time() - started) * 1e3
    assert "generated" in (details.thrown.frames[-1].mapped or {})
    return taken


def _events(maps: OneMap, count: int, step: int) -> float:
    told = [
        _report(
            (1 + (n * FRAMES * step + k) * 7 % (SOURCES * LINES) for k in range(FRAMES)),
            1 + n * step,
        )
        for n in range(count)
    ]
    resolve(told[0], "1", maps)
    started = time.process_time()
    for details in told[1:]:
        resolve(details, "1", maps)
    assert "generated" in (told[-1].thrown.frames[0].mapped or {})
    return (time.process_time() - started) * 1e6 / (FRAMES * (count - 1))


def _report(lines: Iterable[int], column: int = 1) -> ParsedEvent:
    stack = "".join(f"\n    at t (https://shop.example/app.js:{n}:{column})" for n in lines)
    return read({"type": "E", "message": "m", "stack": f"E: m{stack}", "release": "r"})
