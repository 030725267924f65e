"""What an event costs, counted: commands and bytes of Redis, writes of MongoDB, calls of Python.

The same on any machine, so a test can hold them: tests/costs.
"""

from __future__ import annotations

import cProfile
import pstats
import re
from typing import TYPE_CHECKING, Any

from benchmarks.in_process import InProcess
from benchmarks.report import Figure
from benchmarks.stages import events
from catchwater.config.streamdefs import StreamDefs, load
from catchwater.event import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

BEFORE = 10_000
"""Events that come first: their issues have all their samples then, and every cache is warm."""

COUNTED = 10_000

Costs = dict[str, float]


def costs(redis_url: str, mongo_url: str, defs: StreamDefs) -> Costs:
    """Of COUNTED events over 50 issues that were met before, each on a page of its own.

    Empties the Redis database and the database `catchwater`. Ingest is not among them: it adds the
    events, whose bytes count.
    """
    many = numbered(events(BEFORE + COUNTED))
    with InProcess(redis_url, mongo_url, defs) as path:
        _through(path, many[:BEFORE])
        return _counted(path, many[BEFORE:])


def numbered(found: Iterable[Event]) -> list[Event]:
    """With the same ids in each run, so that partitions get the same events."""
    return [
        Event(f"{number:032x}", one.project, one.received, one.kind, one.body, one.facts)
        for number, one in enumerate(found)
    ]


def _counted(path: InProcess, many: list[Event]) -> Costs:
    path.connection.call("CONFIG RESETSTAT")
    before = written(path)
    calls = _through(path, many)
    return {
        **traffic(path),
        "documents of MongoDB": written(path) - before,
        **{f"calls of Python, {name}": made for name, made in calls.items()},
    }


def traffic(path: InProcess) -> Costs:
    """Of Redis since CONFIG RESETSTAT."""
    commands, bytes_ = path.connection.info("commandstats"), path.connection.info("stats")
    return {
        "commands of Redis": sum(_calls(found) for found in commands.values()),
        "kB to Redis": int(bytes_["total_net_input_bytes"]) / 1000,
        "kB from Redis": int(bytes_["total_net_output_bytes"]) / 1000,
    }


def _calls(found: Any) -> int:
    return int(found["calls"] if isinstance(found, dict) else re.findall(r"calls=(\d+)", found)[0])


def written(path: InProcess) -> int:
    done = path.client.admin.command("serverStatus")["metrics"]["document"]
    return int(done["inserted"]) + int(done["updated"])


def _through(path: InProcess, many: list[Event]) -> dict[str, float]:
    """All events through one stage after the other. Returns each stage's calls of Python."""
    path.add(many)
    return {name: _profiled(path, name) for name in path.stages}


def _profiled(path: InProcess, name: str) -> float:
    profile = cProfile.Profile()
    path.work(name, profile)
    return float(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined] # typeshed lacks it


def cost_figures(redis_url: str, mongo_url: str) -> list[Figure]:
    """The counts of the pipeline that ships, by 10,000 events."""
    per = 10_000 / COUNTED
    found = costs(redis_url, mongo_url, load())
    return [Figure(f"counted: {name}", "of 10,000", [n * per]) for name, n in found.items()]
