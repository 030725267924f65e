"""Bytes of an event: through Redis, into its append-only file, and in its memory while it waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.costs import traffic
from benchmarks.flat.filled import event, through
from benchmarks.in_process import InProcess
from benchmarks.report import Figure
from catchwater.config.streamdefs import StreamDefs, load, packaged, small
from catchwater.event import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catchwater.event import Event
    from catchwater.redis_client import Connection

ISSUES = 50
MARKS = {"through Redis": 3_000, "in its append-only file": 3_000, "of its memory, waiting": 1_500}
"""Bytes of an event that are to be reached."""

Bytes = dict[str, float]


def byte_figures(redis_url: str, mongo_url: str, count: int = 10_000) -> list[Figure]:
    """Of an event of the pipelines that ship, beside those of its entry as ingest adds it."""
    entry = sum(map(len, encode(event(0)).values()))
    figures = [Figure("bytes of an event: as it comes", "bytes", [entry])]
    for kind, defs in (("", load(packaged())), ("--small, ", load(small()))):
        for name, n in _bytes(redis_url, mongo_url, defs, count).items():
            title = f"bytes of an event: {kind}{name}"
            figures.append(Figure(title, "bytes", [n], mark=MARKS.get(name), lower_is_better=True))
    return figures


def _bytes(redis_url: str, mongo_url: str, defs: StreamDefs, count: int) -> Bytes:
    with InProcess(redis_url, mongo_url, defs) as path:
        path.connection.call("CONFIG SET", "auto-aof-rewrite-percentage", 0)
        through(path, _events(count))  # they have their samples then
        path.connection.call("CONFIG RESETSTAT")
        memory, logged = _memory(path.connection), _logged(path.connection)
        path.add(_events(count))
        found = {"of its memory, waiting": _memory(path.connection) - memory}
        for name in path.stages:
            path.work(name)
        counts = traffic(path)
        found["through Redis"] = 1000 * (counts["kB to Redis"] + counts["kB from Redis"])
        found["in its append-only file"] = _logged(path.connection) - logged
        path.connection.call("CONFIG SET", "auto-aof-rewrite-percentage", 100)
    return {name: n / count for name, n in found.items()}


def _events(count: int) -> Iterator[Event]:
    return (event(number % ISSUES) for number in range(count))


def _logged(connection: Connection) -> int:
    return int(connection.info("persistence")["aof_current_size"])


def _memory(connection: Connection) -> int:
    return int(connection.info("memory")["used_memory_dataset"])
