"""Folds counts by the hour into counts by the day, in MongoDB.

A day is folded as a whole once it is over. What is written later, after an outage or for a dead
letter, is folded with the write itself, before it is acknowledged. Everything may be done again, by
any number of sinks: a day's count is the sum of what only grows.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pymongo

from catchwater.issues.days import (
    DAY,
    FOLDED,
    day_of,
    foldable_until,
    identity,
    late_before,
    upsert,
)
from catchwater.issues.derived import total
from catchwater.streams import time_buckets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from pymongo.database import Database

Document = dict[str, Any]

AGAIN = 2 * DAY
"""Days that are folded once more with the next one: a clock that was ahead closed them too early.
"""

_AT_ONCE = 1_000
"""Updates of one call."""


def late_days(hours: Iterable[str], at: datetime) -> dict[datetime, list[str]]:
    """Of the documents of hours (`<issue>:<yyyymmddhh>`) that are written at the time `at`: the
    issues of days that are over, by day.
    """
    found: defaultdict[datetime, set[str]] = defaultdict(set)
    for one in hours:
        issue, _, hour = one.rpartition(":")
        if (began := time_buckets.start(hour)) < late_before(at):
            found[day_of(began)].add(issue)
    return {day: sorted(issues) for day, issues in found.items()}


def fold(database: Database[Document], day: datetime, issues: list[str] | None = None) -> None:
    """Count a day of these issues, or of all. Raises the driver's errors."""
    of_day: Document = {"hour": {"$gte": day, "$lt": day + DAY}}
    wanted = of_day if issues is None else {"issue": {"$in": issues}, **of_day}
    n = {"$sum": {"$add": [total("$parts"), total("$more")]}}
    found = database.hours.aggregate([{"$match": wanted}, {"$group": {"_id": "$issue", "n": n}}])
    updates: list[pymongo.UpdateOne] = []
    for one in found:
        name = {"_id": identity(one["_id"], day)}
        updates.append(pymongo.UpdateOne(name, upsert(one["_id"], day, one["n"]), upsert=True))
    for first in range(0, len(updates), _AT_ONCE):
        database.days.bulk_write(updates[first : first + _AT_ONCE], ordered=False)


def fold_until(database: Database[Document], at: datetime) -> None:
    """Fold all days that are over at the time `at` and were not folded yet, the oldest first.

    Cut short, it goes on from there the next time. Raises the driver's errors.
    """
    until = foldable_until(at)
    for day in _unfolded(database, until):
        fold(database, day)
        folded = {"$max": {"until": day + DAY}}
        database.days.update_one({"_id": FOLDED}, folded, upsert=True)


def _unfolded(database: Database[Document], until: datetime) -> Iterator[datetime]:
    known = database.days.find_one({"_id": FOLDED})
    if known and known["until"] >= until:
        return
    day = known["until"] - AGAIN if known else _first_day(database, until)
    while day < until:
        yield day
        day += DAY


def _first_day(database: Database[Document], until: datetime) -> datetime:
    """The day of the oldest hour there is; at least one day is over."""
    oldest = database.hours.find_one({}, {"hour": True}, sort=[("hour", 1)])
    return min(day_of(oldest["hour"]) if oldest else until, until - DAY)
