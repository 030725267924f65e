"""How long a list of 50 issues takes with their trends: `python -m benchmarks.trends`.

Among 20,000 issues with 90 days each. Of those seen last every one had events in each hour of the
last 28, in 8 partitions; those with the highest counts had none for a day. The list of 24 hours is
the reference, in the same run.
"""

from __future__ import annotations

import asyncio
import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pymongo

from benchmarks.day import started
from catchwater.config.streamdefs import Retention
from catchwater.instants import hour_of
from catchwater.issues.days import DAY, FOLDED, day_of, identity, upsert
from catchwater.local.servers import MongoServer
from dashboard import query, views
from dashboard.reader import MongoReader
from dashboard.spans import SPANS
from sink.writer import MongoWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]

ISSUES, BUSY, PROJECTS, TIMES = 20_000, 2_000, 20, 100
NOW = datetime.now(UTC)
PARTS = {f"202611-p{part}-5eedbeef-1": 3 for part in range(8)}


def names() -> list[str]:
    return [f"{n % PROJECTS}:v1:{n:032x}" for n in range(ISSUES)]


def issues(chance: random.Random) -> Iterator[Document]:
    for n, name in enumerate(names()):
        seen = {"first_seen": NOW - 100 * DAY, "last_seen": NOW - n * timedelta(seconds=30)}
        about = {"type": "TypeError", "message": f"x{n} is undefined", "culprit": "a.js in f"}
        count = chance.randint(1, 999) if n < BUSY else chance.randint(1_000, 9_999)
        figures = {"count": count, "users": 3, "trend": 1, "parts": PARTS}
        yield {"_id": name, "project": name.partition(":")[0], **about, **seen, **figures}


def days(chance: random.Random) -> Iterator[Document]:
    for name in names():
        months: dict[str, Document] = {}
        for ago in range(1, 91):
            day = day_of(NOW) - ago * DAY
            change = upsert(name, day, chance.randint(1, 99))
            one = months.setdefault(identity(name, day), {"counts": {}, **change["$setOnInsert"]})
            one["counts"] |= {path.partition(".")[2]: n for path, n in change["$max"].items()}
        yield from ({"_id": key, **one} for key, one in months.items())


def hours() -> Iterator[Document]:
    for name in names()[:BUSY]:
        for ago in range(28):
            hour = hour_of(NOW) - ago * timedelta(hours=1)
            about = {"issue": name, "project": name.partition(":")[0], "hour": hour}
            yield {"_id": f"{name}:{hour:%Y%m%d%H}", **about, "parts": PARTS}


def filled(url: str) -> None:
    writer, chance = MongoWriter(url, Retention()), random.Random(1)
    writer.prepare()
    writer.close()
    with pymongo.MongoClient[Document](url) as client:
        database = client.catchwater
        database.issues.insert_many(issues(chance))
        database.days.insert_many(days(chance))
        database.days.insert_one({"_id": FOLDED, "until": day_of(NOW)})
        database.hours.insert_many(hours())


async def figures(url: str) -> list[str]:
    """A line for each span, of quiet and of busy issues."""
    store, lines = MongoReader(url), []
    for sort, words in (("count", "quiet"), ("last_seen", "busy")):
        for span in SPANS:
            times = sorted([await _once(store, span, sort, n) for n in range(TIMES)])
            p50, p95 = times[TIMES // 2], times[TIMES * 95 // 100]
            lines.append(f"{words} issues, {span}: p50 {p50:5.1f} ms, p95 {p95:5.1f} ms")
    await store.close()
    return lines


async def _once(store: MongoReader, span: str, sort: str, number: int) -> float:
    asked = query.parse({"span": span, "sort": sort, "project": str(number % PROJECTS)}, NOW)
    began = time.perf_counter()
    found = await views.issues(store, asked, NOW)
    took = 1000 * (time.perf_counter() - began)
    assert len(found["issues"]) == query.LIMIT
    return took


def main() -> None:
    with started(MongoServer) as url:
        filled(url)
        print("\n".join(asyncio.run(figures(url))))


if __name__ == "__main__":
    main()
