"""Samples whose source maps come in after they were stored, in MongoDB.

A sample's document stays as the sink wrote it. What it is with its maps stands beside that, in
`late`; `awaits` names the maps that are not there yet. Every write may be done twice, in any order.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import orjson

from catchwater import mongo_client

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from catchwater.stage import SecondLook

Document = dict[str, Any]

AT_ONCE = 50
"""Samples that are read in one answer of MongoDB, at up to 60 KB each."""


class WaitingSamples(mongo_client.Store):
    """Every method raises UnavailableError while MongoDB is away."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._samples = self._database.samples

    def waiting(self, project: str, maps: Sequence[str] | None, most: int) -> Iterator[Document]:
        """Samples of a project that wait for one of these maps, as `awaited` calls them, or for
        any.
        """
        wanted = {"project": project, "awaits": {"$in": maps} if maps else {"$exists": True}}
        with self._translated_errors():
            yield from self._samples.find(wanted, limit=most, batch_size=AT_ONCE)

    def put(self, sample: str, found: SecondLook, at: datetime) -> None:
        """Store what a sample is with its maps."""
        packed = zlib.compress(orjson.dumps(found.shown), 6)
        late = {"at": at, "issue": found.issue, "event": packed}
        with self._translated_errors():
            self._samples.update_one({"_id": sample}, {"$set": {"late": late}})

    def wait_no_more(self, samples: Sequence[str]) -> None:
        with self._translated_errors():
            self._samples.update_many({"_id": {"$in": samples}}, {"$unset": {"awaits": ""}})

    def sole_issue(self, issue: str) -> str:
        """The one issue that events such as all the samples of this one belong to from now on;
        '' where they are several, or where that is not certain of one of them.
        """
        with self._translated_errors():
            if self._samples.find_one({"issue": issue, "late": None}, {"_id": 1}):
                return ""
            found = self._samples.distinct("late.issue", {"issue": issue})
        return str(found[0]) if len(found) == 1 else ""

    def _translated_errors(self) -> AbstractContextManager[None]:
        return mongo_client.translated_errors(self._url, ", and samples are stored there")
