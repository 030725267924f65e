"""Samples in MongoDB, found by the id of their event."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from catchwater import mongo_client
from catchwater.event import PROBES

if TYPE_CHECKING:
    from collections.abc import Mapping

Document = dict[str, Any]

_MOST = 20
"""Projects that one id is looked for in: the second one's sample is called `<id>@<project>`."""

_LEFT = timedelta(hours=1)
"""How old the sample of a probe is that nobody waits for any more."""


class SampleStore(mongo_client.Store):
    """Every method raises UnavailableError."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._samples = self._database.samples

    def of(self, event_id: str) -> list[Document]:
        """The samples of that event in all projects: `_id`, `project` and `issue`."""
        wanted = {"_id": {"$gte": event_id, "$lt": f"{event_id}A"}}  # "A" comes after "@"
        with mongo_client.translated_errors(self._url):
            return list(self._samples.find(wanted, {"project": 1, "issue": 1}).limit(_MOST))

    def has(self, event_id: str) -> bool:
        """Whether the event is stored whole."""
        return bool(self.of(event_id))

    def remove_probe(self, event_id: str) -> None:
        """Remove a probe's sample, and those that probes left which were killed."""
        left = {"$gte": f"{PROBES}:", "$lt": f"{PROBES};"}  # ";" comes after ":"
        old = {"issue": left, "received": {"$lt": datetime.now(UTC) - _LEFT}}
        with mongo_client.translated_errors(self._url):
            self._samples.delete_many({"_id": event_id, "project": PROBES})
            self._samples.delete_many(old)


def body_of(sample: Mapping[str, Any]) -> Any:
    """The event of a sample; None where it cannot be read."""
    try:
        return orjson.loads(zlib.decompress(sample.get("event", b"")))
    except (zlib.error, ValueError, TypeError):
        return None
