"""What MongoDB has counted: its side of the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catchwater import mongo_client
from catchwater.monitoring.audit import CounterTotals
from catchwater.streams import counters

if TYPE_CHECKING:
    from collections.abc import Mapping

Document = dict[str, Any]


class StoredCounts:
    """The sums over all issues. Any thread may use it; MongoDB does not have to be up."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = mongo_client.connect_for_counting(url)

    def close(self) -> None:
        self._client.close()

    def __call__(self, epochs: Mapping[str, str], since: str) -> CounterTotals:
        """What is stored of these epochs of partitions, from the month `since` (`yyyymm`) on.

        Raises UnavailableError.
        """
        sources = [counters.source_of(tag, epoch) for tag, epoch in epochs.items() if epoch]
        sums = {
            name: {"$sum": sum_of(_selected(path, sources, since))}
            for name, path in (("events", "parts"), ("more", "more"))
        }
        issues = self._client[mongo_client.DATABASE]["issues"]
        with mongo_client.translated_errors(self._url):
            found = issues.aggregate(
                [{"$group": {"_id": None, **sums}}], maxTimeMS=mongo_client.QUERY_MS
            ).to_list()
        return (
            CounterTotals(int(found[0]["events"]), int(found[0]["more"]))
            if found
            else CounterTotals(0)
        )


def parts_of(field: str) -> Document:
    """An expression: a map of counters as a list of `{k, v}`."""
    return {"$objectToArray": {"$ifNull": [f"${field}", {}]}}


def sum_of(parts: Document) -> Document:
    """An expression: the sum of the counters in such a list."""
    return {"$sum": {"$map": {"input": parts, "in": "$$this.v"}}}


def _selected(field: str, sources: list[str], since: str) -> Document:
    """An expression: the counters of these epochs and of the months from `since` on.

    A counter's name is `<yyyymm>-<pN>-<epoch>-<gen>`.
    """
    words = {"$split": ["$$this.k", "-"]}
    source = {"$let": {"vars": {"words": words}, "in": _joined("$$words", 1, 2)}}
    month = {"$arrayElemAt": [words, 0]}
    wanted = {"$and": [{"$gte": [month, since]}, {"$in": [source, sources]}]}
    return {"$filter": {"input": parts_of(field), "cond": wanted}}


def _joined(words: str, first: int, last: int) -> Document:
    return {"$concat": [{"$arrayElemAt": [words, first]}, "-", {"$arrayElemAt": [words, last]}]}
