"""What an event costs, counted: commands and bytes of Redis, writes of MongoDB, calls of Python.

The same on any machine, so a test can hold them: tests/costs.
"""

from __future__ import annotations

import cProfile
import pstats
import re
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient

from benchmarks.report import Figure
from benchmarks.stages import events
from catchwater.config.streamdefs import SINK, SOURCE, StreamDefs, load
from catchwater.event import Event, encode
from catchwater.redis_client import Connection
from catchwater.stage import StageEnvironment
from catchwater.streams.consumer import Consumer, prepare
from catchwater.streams.keys import stream
from catchwater.streams.processing import Breaker, Work, answer_batch
from catchwater.streams.stage_loader import load_stages
from sink.work import store_in
from sink.writer import MongoWriter

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
    with (
        closing(Connection(redis_url)) as connection,
        MongoClient[dict[str, Any]](mongo_url) as client,
        closing(MongoWriter(mongo_url, defs.retention)) as writer,
    ):
        client.drop_database("catchwater")
        connection.call("FLUSHDB")
        prepare(connection, defs)
        writer.prepare()
        path = [(name, one.work) for name, one in _loaded(defs, mongo_url).items()]
        path.append((_sink(defs), partial(store_in, writer)))
        many = _numbered(events(BEFORE + COUNTED))
        through = partial(_through, connection, defs, path)
        through(many[:BEFORE])
        return _counted(connection, client, through, many[BEFORE:])


def _loaded(defs: StreamDefs, mongo_url: str) -> dict[str, Any]:
    environment = StageEnvironment(mongo_url, projects=Path("/nonexistent/projects.yaml"))
    loaded = load_stages(defs, defs.counting_path, environment)
    for one in loaded.values():
        one.warm_up()
    return loaded


def _sink(defs: StreamDefs) -> str:
    return next(name for name, stage in defs.stages.items() if stage.run == [SINK])


def _numbered(found: Iterable[Event]) -> list[Event]:
    """With the same ids in each run, so that partitions get the same events."""
    return [
        Event(f"{number:032x}", one.project, one.received, one.kind, one.body, one.facts)
        for number, one in enumerate(found)
    ]


def _counted(
    connection: Connection, client: MongoClient[dict[str, Any]], through: Any, many: list[Event]
) -> Costs:
    connection.call("CONFIG RESETSTAT")
    before = _written(client)
    calls = through(many)
    statistics = connection.info("commandstats"), connection.info("stats")
    return {
        "commands of Redis": sum(_calls(found) for found in statistics[0].values()),
        "kB to Redis": int(statistics[1]["total_net_input_bytes"]) / 1000,
        "kB from Redis": int(statistics[1]["total_net_output_bytes"]) / 1000,
        "documents of MongoDB": _written(client) - before,
        **{f"calls of Python, {name}": made for name, made in calls.items()},
    }


def _calls(found: Any) -> int:
    return int(found["calls"] if isinstance(found, dict) else re.findall(r"calls=(\d+)", found)[0])


def _written(client: MongoClient[dict[str, Any]]) -> int:
    done = client.admin.command("serverStatus")["metrics"]["document"]
    return int(done["inserted"]) + int(done["updated"])


def _through(
    connection: Connection, defs: StreamDefs, path: list[tuple[str, Work]], many: list[Event]
) -> dict[str, float]:
    """All events through one stage after the other. Returns each stage's calls of Python."""
    for start in range(0, len(many), 500):
        connection.calls([_added(defs, event) for event in many[start : start + 500]])
    return {name: _stage(connection, defs, name, work) for name, work in path}


def _added(defs: StreamDefs, event: Event) -> tuple[object, ...]:
    tag = defs.tags[defs.partition_of(event.id)]
    return "XADD", stream(tag, SOURCE), "*", *(p for pair in encode(event).items() for p in pair)


def _stage(connection: Connection, defs: StreamDefs, name: str, work: Work) -> float:
    """Full batches, as while events wait."""
    consumer, breaker = Consumer(connection, defs, name, "costs"), Breaker()
    profile = cProfile.Profile()
    while True:
        consumer.batch_size.entries = consumer.settings.batch
        profile.enable()
        if batch := consumer.read():
            tries, places = consumer.settings.tries, consumer.places(batch)
            consumer.commit(answer_batch(work, batch, tries, breaker, places))
        profile.disable()
        if not batch:
            consumer.trim()
            return float(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined] # typeshed lacks it


def cost_figures(redis_url: str, mongo_url: str) -> list[Figure]:
    """The counts of the pipeline that ships, by 10,000 events."""
    per = 10_000 / COUNTED
    found = costs(redis_url, mongo_url, load())
    return [Figure(f"counted: {name}", "of 10,000", [n * per]) for name, n in found.items()]
