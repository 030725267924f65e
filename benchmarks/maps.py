"""What a mapped frame costs: the position of a script to a place in its source, by a parsed map."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import orjson

from benchmarks.report import Figure
from catchwater.sourcemaps.function_index import FunctionIndex
from catchwater.sourcemaps.positions import Map
from catchwater.sourcemaps.scope_reader import ScopeReader
from catchwater.sourcemaps.upload.indexing import index_of
from stages.grouping.snippet import read
from stages.grouping.source_frames import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

FRAMES = 8
SOURCES = 50
LINES = 400
_SOURCE = "".join(
    f"function step{n}(order) {{ return order.lines[{n}].total(); }}\n" for n in range(LINES)
)


class Warm:
    """One map, in memory."""

    def __init__(self, one: Map) -> None:
        self._one = one

    def knows(self, project: str) -> bool:
        return bool(project)

    def find(
        self, project: str, release: str, wanted: Mapping[str, str]
    ) -> Mapping[str, Map | str]:
        assert project != release
        return dict.fromkeys(wanted, self._one)


def map_figures(count: int, runs: int) -> list[Figure]:
    """CPU microseconds a frame: of events whose positions were seen before, and of positions
    that are new.
    """
    seen = Figure("source maps: a frame, seen before", "us", [], mark=20, lower_is_better=True)
    new = Figure("source maps: a frame, a new position", "us", [])
    parsed = Figure(f"source maps: parse one of {len(made()) / 1e6:.1f} MB", "ms", [])
    with closing(ScopeReader()) as reader:
        packed = index_of(made(), reader).packed()
    for _ in range(runs):
        started = time.process_time()
        one = Map(made(), FunctionIndex.unpacked(packed))
        parsed.runs.append((time.process_time() - started) * 1e3)
        new.runs.append(_events(one, count // 10, 1))
        seen.runs.append(_events(one, count, 0))
    return [seen, new, parsed]


def made() -> bytes:
    """A map of twenty thousand lines, one on each line of the script."""
    files = {
        "sources": [f"src/a{n}.js" for n in range(SOURCES)],
        "sourcesContent": [_SOURCE] * SOURCES,
    }
    first = ["AAAA", *["AACA"] * (LINES - 1)]
    later = ["AC/YA", *["AACA"] * (LINES - 1)]  # the next source, from its first line on
    mappings = ";".join(first + later * (SOURCES - 1))
    return orjson.dumps({"version": 3, "names": [], "mappings": mappings} | files)


def _events(one: Map, count: int, step: int) -> float:
    told = []
    for n in range(count):
        lines = (1 + (n * FRAMES * step + k) * 7 % (SOURCES * LINES) for k in range(FRAMES))
        stack = "".join(
            f"\n    at t (https://shop.example/app.js:{line}:{1 + n * step})" for line in lines
        )
        told.append(
            read(
                {
                    "type": "TypeError",
                    "message": "m",
                    "stack": f"TypeError: m{stack}",
                    "release": "r",
                }
            )
        )
    warm = Warm(one)
    resolve(told[0], "1", warm)
    started = time.process_time()
    for details in told[1:]:
        resolve(details, "1", warm)
    assert "generated" in (told[-1].thrown.frames[0].mapped or {})
    return (time.process_time() - started) * 1e6 / (FRAMES * (count - 1))
