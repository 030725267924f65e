"""How large the documents of one issue in MongoDB become, when the sink has written them."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pymongo

from catchwater.config.streamdefs import Retention
from catchwater.event import Event
from catchwater.mongo_client import DATABASE
from catchwater.streams import counters, time_buckets
from catchwater.streams.hyperloglog import REGISTERS
from sink.fold import Writes, fold
from sink.writer import MongoWriter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pymongo.collection import Collection

LARGEST = 16 * 2**20
"""Bytes of a document, at most, for MongoDB."""

ISSUE = f"1:v1:{'a' * 32}"
HOUR_AND_MONTH = ("{month}1512", "{month}")
ABOUT = {"type": "TypeError", "message": "x" * 200, "culprit": "render (app.js)", "level": "error"}
COUNT = 1_000_000_000

FOR_EVER = Retention().model_copy(
    update=dict.fromkeys(("samples", "hours", "issues"), timedelta(days=20_000))
)
"""Nothing expires while it is measured."""


TAGS = [
    counters.tag(f"name of tag {name}", f"value of a tag {value}")
    for name in range(counters.TAG_NAMES)
    for value in range(counters.TAG_VALUES)
]
FEW_TAGS = [counters.tag("browser", f"Chrome {version}") for version in range(140, 148)]


def sizes(
    url: str, tags: list[str], months: int, epochs: int, lists: Iterable[str]
) -> dict[str, int]:
    """Bytes of the largest document of each collection in the MongoDB at `url`: see `written`.

    It is emptied.
    """
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        client.drop_database(DATABASE)
        with closing(MongoWriter(url, FOR_EVER)) as writer:
            writer.write(written(tags, months, epochs, lists))
        return {name: _largest(client[DATABASE][name]) for name in ("issues", "hours", "tags")}


def written(tags: list[str], months: int, epochs: int, lists: Iterable[str]) -> Writes:
    """Of an issue that every partition counts in every month. `tags` are those of the partitions,
    `lists` those of its events, and `epochs` how many lives of Redis each month saw.
    """
    writes = Writes()
    for month in range(months):
        for tag in tags:
            for epoch in range(epochs):
                fold(writes, _tally(_month(month), tag, f"{epoch:08x}", lists))
    return writes


def _month(number: int) -> str:
    return f"{2020 + number // 12}{number % 12 + 1:02d}"


def _tally(month: str, tag: str, epoch: str, lists: Iterable[str]) -> Event:
    values = {counters.events_field(ISSUE): COUNT, counters.more_field(ISSUE): COUNT}
    tagged = {counters.tag_field(ISSUE, one): COUNT for one in lists}
    hour, of_month = (name.format(month=month) for name in HOUR_AND_MONTH)
    received = int(time_buckets.start(hour).timestamp()) * 1000
    seen = {
        "first": received,
        "last": received,
        "about": orjson.dumps(ABOUT).decode(),
        "users": {str(register): 5 for register in range(REGISTERS)},
    }
    body = {
        "tag": tag,
        "life": epoch,
        "issues": {ISSUE: seen},
        "buckets": [
            {"name": hour, "generation": "1", "values": values},
            {"name": of_month, "generation": "1", "values": values | tagged},
        ],
    }
    return Event("-", "", 0, "tally", orjson.dumps(body))


def _largest(collection: Collection[dict[str, Any]]) -> int:
    size = {"$group": {"_id": None, "most": {"$max": {"$bsonSize": "$$ROOT"}}}}
    return int(next(collection.aggregate([size]))["most"])
