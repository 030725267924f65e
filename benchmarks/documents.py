"""How large the documents of one issue in MongoDB become, made by sink/fold.py and encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bson
import orjson

from catchwater.event import Event
from catchwater.streams import counters
from catchwater.streams.hyperloglog import REGISTERS
from sink.fold import Writes, fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sink.fold import Update

LARGEST = 16 * 2**20
"""Bytes of a document, at most, for MongoDB."""

ISSUE = f"1:v1:{'a' * 32}"
HOUR_AND_MONTH = ("{month}1512", "{month}")
ABOUT = {"type": "TypeError", "message": "x" * 200, "culprit": "render (app.js)", "level": "error"}
COUNT = 1_000_000_000
RECEIVED = 1_763_900_000_000

TAGS = [
    counters.tag(f"name of tag {name}", f"value of a tag {value}")
    for name in range(counters.TAG_NAMES)
    for value in range(counters.TAG_VALUES)
]
FEW_TAGS = [counters.tag("browser", f"Chrome {version}") for version in range(140, 148)]


def sizes(tags: list[str], months: int, epochs: int, lists: Iterable[str]) -> dict[str, int]:
    """Bytes of the largest document of each collection: see `written`."""
    writes = written(tags, months, epochs, lists)
    return {name: _largest(getattr(writes, name)) for name in ("issues", "hours", "tags")}


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
    return f"{2026 + number // 12}{number % 12 + 1:02d}"


def _tally(month: str, tag: str, epoch: str, lists: Iterable[str]) -> Event:
    values = {counters.events_field(ISSUE): COUNT, counters.more_field(ISSUE): COUNT}
    tagged = {counters.tag_field(ISSUE, one): COUNT for one in lists}
    hour, of_month = (name.format(month=month) for name in HOUR_AND_MONTH)
    seen = {
        "first": RECEIVED,
        "last": RECEIVED,
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


def _largest(updates: Mapping[str, Update]) -> int:
    return max((len(bson.encode(_document(*one))) for one in updates.items()), default=0)


def _document(name: str, update: Update) -> dict[str, Any]:
    """The document that an update makes where there was none."""
    found: dict[str, Any] = {"_id": name, **update.on_insert}
    for path, value in (update.highest | update.lowest).items():
        *above, last = path.split(".")
        inner = found
        for key in above:
            inner = inner.setdefault(key, {})
        inner[last] = value
    return found | {"names": sorted(update.names), "facets": sorted(update.facets)}
