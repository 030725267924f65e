from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from catchwater.answers import Stored
from catchwater.config.streamdefs import Retention
from catchwater.event import Event
from catchwater.streams.hyperloglog import register
from sink.work import store_in
from sink.writer import MongoWriter

NOW = datetime.now(UTC).replace(microsecond=0)


ABOUT = {"type": "TypeError", "message": "x is undefined", "level": "error"}


def tally(
    issue: str,
    n: int,
    at: datetime,
    release: str = "",
    users: tuple[str, ...] = (),
    tags: Mapping[str, str] | None = None,
    **about: str,
) -> Event:
    """What the commit tells: so far `n` events of `issue`, the last of them at `at`."""
    last, month = int(at.timestamp() * 1000), f"{at:%Y%m}"
    seen = {
        "first": last,
        "last": last,
        "about": orjson.dumps(ABOUT | about).decode(),
        "users": {str(index): rank for index, rank in map(register, users)},
    }
    values = {f"events\t{issue}": n}
    every = (tags or {}) | ({"release": release} if release else {})
    of_month = values | {f"tag\t{issue}\t{name}\t{value}": n for name, value in every.items()}
    buckets = [
        {"name": month, "generation": "1", "values": of_month},
        {"name": f"{at:%Y%m%d%H}", "generation": "1", "values": values},
    ]
    body = {"tag": "p0", "life": "life", "issues": {issue: seen}, "buckets": buckets}
    return Event("-", "", 0, "tally", orjson.dumps(body))


@dataclass
class Seen:
    """The sink at work on a real MongoDB: an issue is seen again and again."""

    database: Database[dict[str, Any]]
    writer: MongoWriter
    counts: dict[str, int] = field(default_factory=dict)

    def __call__(
        self,
        issue: str,
        n: int = 1,
        *,
        release: str = "",
        users: tuple[str, ...] = (),
        tags: Mapping[str, str] | None = None,
        **ago: float,
    ) -> None:
        """`n` events more. Written twice, as after a crash."""
        self.counts[issue] = self.counts.get(issue, 0) + n
        moment = NOW - timedelta(**ago)
        for _ in range(2):
            event = tally(issue, self.counts[issue], moment, release, users, tags)
            assert store_in(self.writer, [event]) == [Stored()]

    def issue(self, issue: str) -> dict[str, Any]:
        found = self.database.issues.find_one({"_id": issue})
        assert found
        return found

    def state(self, issue: str) -> str:
        return str(self.issue(issue).get("state", "unresolved"))


@pytest.fixture
def database(mongo_url: str) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongo_url, tz_aware=True) as client:
        client.drop_database("catchwater")
        yield client.catchwater
        client.drop_database("catchwater")


@pytest.fixture
def seen(database: Database[dict[str, Any]], mongo_url: str) -> Iterator[Seen]:
    writer = MongoWriter(mongo_url, Retention())
    yield Seen(database, writer)
    writer.close()
