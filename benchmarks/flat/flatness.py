"""What 10,000 events cost, by how many were counted before and of how many issues."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.costs import traffic, written
from benchmarks.day import issue_shares, started
from benchmarks.flat.filled import event, fill, pipeline, through
from benchmarks.flat.new_issues import new_issues_figure
from benchmarks.in_process import InProcess
from benchmarks.report import Figure
from catchwater.local.servers import MongoServer, RedisServer
from catchwater.streams import keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FLAT = 1.2
"""What it may come to, at most, of what it is with the least data."""

BUSY = 10
"""Issues that the events of the first rows are of, however many there are."""

COMPARED = ("ms of CPU", "kB through Redis", "kB that stay in Redis", "documents of MongoDB")
"""What is to be flat; the rest says where it is spent."""


@dataclass(frozen=True, slots=True)
class Data:
    """What is there before: so many events counted, of so many issues."""

    events: int
    issues: int

    def __str__(self) -> str:
        return f"after {short(self.events)}, {short(self.issues)} issues"


def short(n: int) -> str:
    """10k, 1M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if n >= size and n % size == 0:
            return f"{n // size}{letter}"
    return str(n)


SIZES = (
    Data(10_000, BUSY),
    Data(1_000_000, BUSY),
    Data(10_000_000, BUSY),
    Data(10_000, 10_000),
    Data(100_000, 100_000),
)
"""The first is what the others are compared to."""

Costs = dict[str, float]
Filled = dict[Data, InProcess]


def flat_figures(
    sizes: Sequence[Data] = SIZES, measured: int = 5_000, runs: int = 3
) -> list[Figure]:
    """What 10,000 events cost, against the first size: each has servers of its own, and they take
    turns. First events of the same few issues, then of all that there are.

    Before that, how fast the sink wrote the issues of the last size, which were new.
    """
    with ExitStack() as running:
        paths = {size: _started(running) for size in sizes}
        seconds = {size: fill(paths[size], size.events, size.issues, BUSY) for size in sizes}
        last = sizes[-1]
        new = new_issues_figure(paths[last], last.issues, seconds[last])
        same = _figures("same issues", paths, BUSY, measured, runs)
        by_issues = {size.issues: size for size in reversed(sizes)}
        spread = {size: paths[size] for size in reversed(by_issues.values())}
        return [new, *same, *_figures("all issues", spread, 0, measured, runs)]


def _started(running: ExitStack) -> InProcess:
    redis, mongo = (running.enter_context(started(kind)) for kind in (RedisServer, MongoServer))
    return running.enter_context(InProcess(redis, mongo, pipeline()))


def _figures(kind: str, paths: Filled, issues: int, measured: int, runs: int) -> list[Figure]:
    """Of events of so many issues, or of all where that is 0."""
    found: dict[Data, dict[str, list[float]]] = {size: defaultdict(list) for size in paths}
    for _ in range(runs):
        for size, path in paths.items():
            for name, n in _costs(path, _drawn(issues or size.issues, measured)).items():
                found[size][name].append(n * 10_000 / measured)
    reference = found[next(iter(paths))]
    return [
        _figure(f"{kind}, {size}: {name}", costs[name], reference[name])
        for name in reference
        for size, costs in found.items()
    ]


def _figure(name: str, runs: list[float], reference: list[float]) -> Figure:
    mark = FLAT if name.endswith(COMPARED) else None
    return Figure(name, "of 10,000", runs, reference, mark, lower_is_better=True)


def _drawn(issues: int, count: int) -> Iterator[int]:
    """Numbers of issues: few are frequent."""
    return iter(random.Random(count).choices(range(issues), issue_shares(issues), k=count))


def _costs(path: InProcess, issues: Iterator[int]) -> Costs:
    """Of one event of each of these issues."""
    path.connection.call("CONFIG RESETSTAT")
    before = _state(path)
    through(path, map(event, issues))
    after, counts = _state(path), traffic(path)
    found = {name: after[name] - before[name] for name in after}
    return found | {
        "commands of Redis": counts["commands of Redis"],
        "kB through Redis": counts["kB to Redis"] + counts["kB from Redis"],
    }


def _state(path: InProcess) -> Costs:
    """CPU milliseconds of the stages, which work in this process, of Redis and MongoDB so far;
    documents that were written; kB that stay in Redis.
    """
    cpu = path.connection.info("cpu")
    redis = float(cpu["used_cpu_user"]) + float(cpu["used_cpu_sys"])
    mongo = path.client.admin.command("serverStatus")["extra_info"]
    found = {
        "ms of stages": 1000 * time.process_time(),
        "ms of Redis": 1000 * redis,
        "ms of MongoDB": (mongo["user_time_us"] + mongo["system_time_us"]) / 1000,
    }
    return {
        "ms of CPU": sum(found.values()),
        **found,
        "documents of MongoDB": written(path),
        "kB that stay in Redis": _kept(path) / 1000,
    }


def _kept(path: InProcess) -> float:
    """Bytes of Redis's data when all is done, without what trims leave."""
    tags, names = path.defs.tags, path.defs.streams
    streams = [keys.stream(tag, name) for tag in tags for name in names]
    path.connection.calls([("XTRIM", stream, "MAXLEN", 0) for stream in streams])
    path.connection.call("MEMORY", "PURGE")
    return float(path.connection.info("memory")["used_memory_dataset"])
