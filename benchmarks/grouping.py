"""CPU microseconds to name one event of eight frames, against the JSON decode of the same event."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import orjson

from benchmarks.report import Figure
from benchmarks.stages import REPORT
from stages.grouping import snippet, v1

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MARK = 60
"""Microseconds on average."""


def grouping_figures(count: int = 2000, runs: int = 5) -> list[Figure]:
    """Frames that were met before, as nearly all are on a real site; and frames that nobody has
    seen.
    """
    again = [orjson.dumps(REPORT)] * count
    fresh = [_other(number) for number in range(count * runs)]
    figures = []
    for name, bodies in (("frames met before", again), ("frames all new", fresh)):
        figure = Figure(f"grouping: {name}", "us/event", [], mark=MARK, lower_is_better=True)
        for run in range(runs):
            some = bodies if len(bodies) == count else bodies[run * count : (run + 1) * count]
            figure.reference.append(_microseconds(orjson.loads, some))
            figure.runs.append(_microseconds(_group, [orjson.loads(one) for one in some]))
        figures.append(figure)
    return figures


def _group(found: dict[str, Any]) -> object:
    return v1.group(snippet.read(found))


def _other(number: int) -> bytes:
    """The same report from another page, file and function."""
    text = orjson.dumps(REPORT).decode()
    return (
        text.replace("app.3f2a1b.js", f"page{number}.js").replace("step", f"step{number}x").encode()
    )


def _microseconds(work: Callable[[Any], object], some: Sequence[Any]) -> float:
    started = time.process_time()
    for one in some:
        work(one)
    return (time.process_time() - started) / len(some) * 1e6
