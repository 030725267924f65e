"""What several sinks that write one busy issue cost MongoDB: `python -m benchmarks.sinks`.

Each sink is a process with batches of its own, as the counted stream gives them out. Prints the
documents that were written, how often MongoDB had to begin a write anew because another one had
changed the document meanwhile (`writeConflicts`), and CPU for 10,000 events.
"""

from __future__ import annotations

import multiprocessing
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
import orjson
from pymongo import MongoClient

from benchmarks.day import started
from benchmarks.whole import cpu_seconds
from catchwater.config.streamdefs import Retention, load
from catchwater.errors import UnavailableError
from catchwater.event import Event
from catchwater.local.servers import MongoServer
from catchwater.mongo_client import DATABASE
from catchwater.streams import counters, time_buckets
from sink.work import store_in
from sink.writer import MongoWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ISSUE = f"1:v1:{'a' * 32}"
ABOUT = {"type": "TypeError", "message": "x is not a function", "culprit": "pay", "level": "error"}
TAGS = ("browser\tChrome 142", "os\tWindows 11", "release\tshop@1", "environment\tproduction")
EVENTS = 100
"""That a tally stands for: a batch of the count stage."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run: seconds, and counts of MongoDB."""

    wall: float
    cpu_of_sinks: float
    cpu_of_mongodb: float
    documents: int
    conflicts: int
    lost: int
    """Batches that were written again, as two sinks inserted a document at once."""


def tallies(tags: Sequence[str], issues: int, count: int, now_ms: int) -> Iterator[Event]:
    """`count` of them, one partition after the other, whose counters grow. All but every tenth are
    of one issue, the others of `issues` more.
    """
    sofar = dict[tuple[str, str], int]()
    for number in range(count):
        tag = tags[number % len(tags)]
        name = f"1:v1:{number % issues:032x}" if issues and number % 10 == 0 else ISSUE
        sofar[tag, name] = sofar.get((tag, name), 0) + EVENTS
        yield _tally(name, tag, sofar[tag, name], now_ms)


def _tally(issue: str, tag: str, n: int, now_ms: int) -> Event:
    hour = time_buckets.hour(now_ms)
    values = {counters.events_field(issue): n}
    tagged = {counters.tag_field(issue, one): n for one in TAGS}
    users = {str(register): 5 for register in range(n % 97, 1024, 97)}
    about = orjson.dumps(ABOUT).decode()
    seen = {"first": now_ms, "last": now_ms + n, "about": about, "users": users}
    buckets = [
        {"name": hour, "generation": "1", "values": values},
        {"name": time_buckets.month_of(hour), "generation": "1", "values": values | tagged},
    ]
    body = {"tag": tag, "life": "5eedbeef", "issues": {issue: seen}, "buckets": buckets}
    return Event("-", "", 0, "tally", orjson.dumps(body))


def run(url: str, sinks: int, batch: int, issues: int, count: int) -> Cost:
    """Empties the database `catchwater` of the MongoDB at `url`."""
    every = list(tallies(load().tags, issues, count, int(time.time() * 1000)))
    batches = [every[at : at + batch] for at in range(0, len(every), batch)]
    context = multiprocessing.get_context("spawn")
    with MongoClient[dict[str, Any]](url) as client, context.Pool(sinks) as pool:
        client.drop_database(DATABASE)
        with closing(MongoWriter(url, Retention())) as writer:
            writer.prepare()
        pool.map(_warm_up, range(sinks), chunksize=1)
        before, began = _status(client), time.perf_counter()
        shares = [(url, batches[number::sinks]) for number in range(sinks)]
        found = pool.starmap(_sink, shares, chunksize=1)
        wall, after = time.perf_counter() - began, _status(client)
        _check(client, count)
    changed = {name: after[name] - before[name] for name in after}
    cpu, lost = (sum(each) for each in zip(*found, strict=True))
    return Cost(
        wall, cpu, changed["cpu"], int(changed["documents"]), int(changed["conflicts"]), int(lost)
    )


def _warm_up(_number: int) -> None:
    time.sleep(0.2)  # so that each process takes one


def _sink(url: str, batches: list[list[Event]]) -> tuple[float, int]:
    """CPU seconds, and how often a batch had to be written again."""
    began, lost = time.process_time(), 0
    with closing(MongoWriter(url, Retention())) as writer:
        for one in batches:
            while True:
                try:
                    store_in(writer, one)
                    break
                except UnavailableError:
                    lost += 1
    return time.process_time() - began, lost


def _status(client: MongoClient[dict[str, Any]]) -> dict[str, float]:
    found = client.admin.command("serverStatus")
    documents = found["metrics"]["document"]
    return {
        "cpu": cpu_seconds(found["pid"]),
        "documents": documents["updated"] + documents["inserted"],
        "conflicts": found["metrics"]["operation"]["writeConflicts"],
    }


def _check(client: MongoClient[dict[str, Any]], count: int) -> None:
    """Whatever it costs, it is exact."""
    total = sum(one["count"] for one in client[DATABASE].issues.find())
    if total != count * EVENTS:
        raise click.ClickException(f"counted {total:,} of {count * EVENTS:,} events")


@click.command()
@click.option("--sinks", multiple=True, default=(1, 2, 4), show_default=True, help="Processes.")
@click.option("--batch", multiple=True, default=(10, 100), show_default=True, help="Tallies.")
@click.option("--issues", default=0, show_default=True, help="Others beside the busy one.")
@click.option("--tallies", "count", default=8_000, show_default=True, help="In each run.")
def main(sinks: tuple[int, ...], batch: tuple[int, ...], issues: int, count: int) -> None:
    """What several sinks that write one busy issue cost."""
    per = 10_000 / (count * EVENTS)
    with started(MongoServer) as url:
        for size in batch:
            for number in sinks:
                one = run(url, number, size, issues, count)
                print(
                    f"{number} sinks, batches of {size:>4} tallies: {one.wall:6.1f} s,"
                    f" {one.documents:>7,} documents, {one.conflicts:>6,} conflicts,"
                    f" {one.lost} batches again; for 10,000 events:"
                    f" sinks {1000 * one.cpu_of_sinks * per:6.1f} ms,"
                    f" MongoDB {1000 * one.cpu_of_mongodb * per:6.1f} ms"
                )


if __name__ == "__main__":
    main()
