"""Months of an issue that no longer change: their counters are added up, and the document stays
small for as long as the issue lives.

A counter has a part for each month, partition, epoch and generation. The parts of months before
`closed` (`yyyymm`) have become one, whose key is `closed`, too; so whoever adds up all parts finds
the same sum as before. What is written late of a closed month, as by a sink that stood still with
it, is in that sum already: it is left out where parts are added up, and goes with the next write.

A month is open until the issue is seen `time_buckets.OPEN` later, and until MongoDB's clock says
so, too: a clock that was ahead for a while closes nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from catchwater.streams import time_buckets

if TYPE_CHECKING:
    from collections.abc import Mapping

Expression = dict[str, Any]

CLOSED = "closed"
"""The field with the first month that is open, and the key of the sum of those before it. The key
is after all months in the order of texts.
"""

MAPS = ("parts", "more")
"""The maps of counters that an issue's document has."""


def closing() -> dict[str, Expression]:
    """Fields to be set in an update of issues, by their own values before it."""
    return {CLOSED: _first_open(), **{name: _rest(name) for name in MAPS}}


def count_of(issue: Mapping[str, Any]) -> int:
    """Every occurrence of an issue itself, without those that were merged into it."""
    first = issue.get(CLOSED, "")
    maps = [issue.get(name, {}) for name in MAPS]
    return sum(n for parts in maps for part, n in parts.items() if part >= first)


def _first_open() -> Expression:
    latest = {"$min": ["$last_seen", "$$NOW"]}
    milliseconds = time_buckets.OPEN // timedelta(milliseconds=1)
    date = {"$subtract": [latest, milliseconds]}
    return {"$max": [f"${CLOSED}", {"$dateToString": {"date": date, "format": "%Y%m"}}]}


def _rest(name: str) -> Expression:
    """The map as it is while no part is of a month before the first open one; else without those,
    and their sum in it.
    """
    every = {"$objectToArray": {"$ifNull": [f"${name}", {}]}}
    older = {"$filter": {"input": "$$every", "cond": {"$lt": ["$$this.k", "$$first"]}}}
    changed = {
        "$let": {
            "vars": {"older": older},
            "in": {"$cond": [{"$eq": ["$$older", []]}, f"${name}", _folded(name)]},
        }
    }
    return {"$let": {"vars": {"every": every, "first": _first_open()}, "in": changed}}


def _folded(name: str) -> Expression:
    """What is of a month that was closed before is in the sum already."""
    still = {"$filter": {"input": "$$every", "cond": {"$gte": ["$$this.k", "$$first"]}}}
    counts = {"$gte": ["$$this.k", {"$ifNull": [f"${CLOSED}", ""]}]}
    newly = {"$map": {"input": "$$older", "in": {"$cond": [counts, "$$this.v", 0]}}}
    total = {"$add": [{"$ifNull": [f"${name}.{CLOSED}", 0]}, {"$sum": newly}]}
    return {"$mergeObjects": [{"$arrayToObject": still}, {CLOSED: total}]}
