"""How fast what waits is worked off, once everything runs again."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import click
from pymongo import MongoClient

from benchmarks import load
from benchmarks.flat.filled import event
from benchmarks.in_process import add
from benchmarks.report import Figure
from benchmarks.services import ingest, started
from catchwater.config.streamdefs import SINK, SOURCE, StreamDefs
from catchwater.config.streamdefs import load as load_defs
from catchwater.mongo_client import DATABASE
from catchwater.monitoring import snapshot
from catchwater.redis_client import Connection
from catchwater.streams import keys
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

MARK = 1.5
ISSUES = 50
LOOK_S = 0.1
LONGEST_S = 1_800.0
"""For as long it is waited, at most."""


def drain_figures(
    redis_url: str, mongo_url: str, folder: Path, waiting: int = 1_000_000, seconds: float = 6.0
) -> list[Figure]:
    """Events a second to MongoDB, by a process for each stage and the sink, of `waiting` ones;
    against how many one ingest process accepted a second while no stage ran.

    What ingest did not accept in so many seconds is added in its place. Empties both servers.
    """
    settings, defs = {"REDIS_URL": redis_url, "MONGO_URL": mongo_url}, load_defs()
    with closing(Connection(redis_url)) as connection, MongoClient[Any](mongo_url) as client:
        connection.call("FLUSHDB")
        client.drop_database(DATABASE)
        with ingest(settings, folder) as url:
            accepted, took = load.run(url, seconds)
        more = waiting - _waiting(connection, defs)
        add(connection, defs, (event(number % ISSUES) for number in range(more)))
        waiting = _waiting(connection, defs)
        bytes_ = int(connection.info("memory")["used_memory_dataset"])
        rate = waiting / _drained_s(connection, defs, settings)
        _check(client, waiting)
    return [
        Figure(f"drain of {waiting:,} that wait", "events/s", [rate], [accepted / took], MARK),
        Figure("  memory of Redis for each", "bytes", [bytes_ / waiting], lower_is_better=True),
    ]


def _waiting(connection: Connection, defs: StreamDefs) -> int:
    lengths = connection.calls([("XLEN", keys.stream(tag, SOURCE)) for tag in defs.tags])
    return sum(lengths)


def _drained_s(connection: Connection, defs: StreamDefs, settings: dict[str, str]) -> float:
    began = time.perf_counter()
    with ExitStack() as processes:
        for name, stage in defs.stages.items():
            arguments = ["sink"] if stage.run == [SINK] else ["stage", name]
            processes.enter_context(started(settings, *arguments))
        wait_until(lambda: _is_done(connection, defs), "nothing waits", timeout=LONGEST_S)
        return time.perf_counter() - began


def _is_done(connection: Connection, defs: StreamDefs) -> bool:
    """A snapshot each time keeps Redis from what is measured, so few are taken."""
    time.sleep(LOOK_S)
    return not any(stage.depth for stage in snapshot.take(connection, defs).stages)


def _check(client: MongoClient[Any], count: int) -> None:
    """However fast, it is exact."""
    total = sum(one["count"] for one in client[DATABASE].issues.find({}, {"count": True}))
    if total != count:
        raise click.ClickException(f"counted {total:,} of {count:,} events")
