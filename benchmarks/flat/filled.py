"""Data as many events leave it, without sending as many."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson

from benchmarks.stages import AGENT, REPORT
from benchmarks.state import pending
from catchwater.answers import Drop
from catchwater.config.streamdefs import StreamDefs, load
from catchwater.event import Event
from catchwater.streams import keys
from catchwater.streams.commit import SCRIPT, Entry, plan_commit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.in_process import InProcess

POSTED = 10_000
"""Events that come at once to fill a path: each stands for as many as it takes (`n` of a report).
"""

AT_ONCE = 1_000
MOST_ISSUES = 1_000_000
FACTS = {"user_agent": AGENT, "origin": "https://shop.example", "ip": "10.0.0.1"}


def pipeline() -> StreamDefs:
    """The one that ships, for more issues of a project, and which waits for no more events."""
    defs = load()
    count = defs.stages["count"].model_copy(update={"issues": MOST_ISSUES})
    stages = {**defs.stages, "count": count}
    short = {"wait": timedelta(milliseconds=1)}
    stages = {name: stage.model_copy(update=short) for name, stage in stages.items()}
    return defs.model_copy(update={"stages": stages})


def event(issue: int, n: int = 1) -> Event:
    """One of an issue, as ingest adds it: of 1.1 KB, with an id of its own in its page too."""
    name = uuid.uuid4().hex
    page = f"https://shop.example/orders/{int(name[:6], 16)}"
    body = orjson.dumps(REPORT | {"type": type_of(issue), "page": page, "n": n})
    return Event(name, "1", int(time.time() * 1000), "snippet", body, FACTS)


def type_of(issue: int) -> str:
    """Without digits: those do not tell issues apart."""
    letters = (chr(ord("a") + issue // 26**place % 26) for place in range(5))
    return f"Error{''.join(letters)}"


def fill(path: InProcess, events: int, issues: int, busy: int) -> float:
    """As `events` of so many issues leave Redis and MongoDB: all counters and documents come by
    events that stand for several each, all marks of dedupe by commits. The first `busy` issues
    have all their samples then.

    Returns the seconds that the sink worked for the first event of each issue.
    """
    n, sink_s = max(1, events // max(POSTED, issues)), 0.0
    for first in range(0, issues, POSTED):
        numbers = range(first, min(first + POSTED, issues))
        sink_s += through(path, (event(number, n) for number in numbers))[path.sink]
    through(path, (event(number % busy, n) for number in range(POSTED)))
    if (more := events - issues - POSTED) > 0:
        fill_marks(path, more)
    return sink_s


def through(path: InProcess, events: Iterable[Event]) -> dict[str, float]:
    """Returns how many seconds each stage worked."""
    path.add(events)
    found = {}
    for name in path.stages:
        began = time.perf_counter()
        path.work(name)
        found[name] = time.perf_counter() - began
    return found


def fill_marks(path: InProcess, marks: int) -> None:
    """Those of one partition are committed, those of the others are copies of them."""
    first, *others = path.defs.tags
    for size in _shares(marks // path.defs.partitions):
        _commit_marks(path, first, size)
    path.connection.call("XTRIM", keys.stream(first, path.defs.stages["dedupe"].reads), "MAXLEN", 0)
    there = [name.decode() for name in _scanned(path, keys.marks(first, "dedupe", 0)[:-1] + "*")]
    for tag in others:
        copies = [(name, name.replace(f"{{{first}}}", f"{{{tag}}}")) for name in there]
        for at in range(0, len(copies), AT_ONCE):
            path.connection.calls([("COPY", *one, "REPLACE") for one in copies[at : at + AT_ONCE]])


def _shares(marks: int) -> Iterator[int]:
    while marks > 0:
        yield min(marks, AT_ONCE)
        marks -= AT_ONCE


def _commit_marks(path: InProcess, tag: str, count: int) -> None:
    stream = keys.stream(tag, path.defs.stages["dedupe"].reads)
    answers = [
        (Entry(0, id_, {}), Drop("filled", once=uuid.uuid4().hex))
        for id_ in pending(path.connection, stream, "dedupe", count)
    ]
    plan = plan_commit(path.defs, "dedupe", tag, answers)
    path.connection.scripts(SCRIPT, [(plan.keys, plan.args())])


def _scanned(path: InProcess, pattern: str) -> Iterator[bytes]:
    cursor = b"0"
    while True:
        cursor, found = path.connection.call("SCAN", cursor, "MATCH", pattern, "COUNT", AT_ONCE)
        yield from found
        if cursor == b"0":
            return
