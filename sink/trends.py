"""Keeps the trend of issues in MongoDB, by which lists are sorted, and their counts by the day: a
thread of the sink.

What the sink writes is looked at within a minute. What nobody sees any more changes, too, when an
hour is over: so every hour all issues of the last eight days are. Whatever is cut short, or done by
two sinks at once, comes to the same; it is a figure to sort by, and no part of the counting.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pymongo
import structlog

from catchwater import mongo_client
from catchwater.errors import CatchwaterError
from catchwater.instants import hour_of
from catchwater.issues import states
from catchwater.issues.derived import total
from catchwater.issues.shown import merged_ids
from catchwater.issues.trend import DAY, SPAN, trend
from sink import days

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pymongo.collection import Collection as MongoCollection

Document = dict[str, Any]

T = TypeVar("T")

EVERY_S = 60.0
"""Seconds from one look to the next."""

AT_ONCE = 500
"""Issues that one query is about."""

MOST_WRITTEN = 20_000
"""Issues written since the last look that are remembered by name. Beyond, all are looked at."""

_FIELDS = dict.fromkeys(("state", "handling.into", "absorbed", "trend"), True)
_HOUR = timedelta(hours=1)

log = structlog.get_logger()


class TrendStore(mongo_client.Store):
    """Every method raises UnavailableError."""

    def update_all(self, at: datetime) -> None:
        """All issues that have a trend at the time `at`, or had one."""
        first = hour_of(at) - SPAN + _HOUR
        recent = [{"last_seen": {"$gte": first}}, {"trend": {"$gt": 0}}, {"trend": {"$lt": 0}}]
        with mongo_client.translated_errors(self._url):
            found = self._issues.find({"$or": recent, "state": {"$ne": states.MERGED}}, _FIELDS)
            for issues in _chunks(found):
                self._update(issues, at)

    def fold_days(self, at: datetime) -> None:
        """Count those that are over at the time `at`."""
        with mongo_client.translated_errors(self._url):
            days.fold_until(self._database, at)

    def update(self, ids: Collection[str], at: datetime) -> None:
        """These issues, or those that they were merged into."""
        with mongo_client.translated_errors(self._url):
            for some in _chunks(ids):
                self._update(self._whole(some), at)

    @property
    def _issues(self) -> MongoCollection[Document]:
        return self._database.issues

    def _whole(self, ids: Sequence[str]) -> list[Document]:
        found = list(self._issues.find({"_id": {"$in": ids}}, _FIELDS))
        own = [one for one in found if one.get("state") != states.MERGED]
        into = {one["handling"]["into"] for one in found if one.get("state") == states.MERGED}
        return own + list(self._issues.find({"_id": {"$in": sorted(into - set(ids))}}, _FIELDS))

    def _update(self, issues: Sequence[Document], at: datetime) -> None:
        families = {one["_id"]: [one["_id"], *merged_ids(one)] for one in issues}
        counts = self._counts([one for each in families.values() for one in each], at)
        changes = []
        for one in issues:
            found = [counts[member] for member in families[one["_id"]] if member in counts]
            now = trend(sum(day for day, _ in found), sum(week for _, week in found))
            if now != one.get("trend"):
                changes.append(pymongo.UpdateOne({"_id": one["_id"]}, {"$set": {"trend": now}}))
        if changes:
            self._issues.bulk_write(changes, ordered=False)

    def _counts(self, ids: Sequence[str], at: datetime) -> dict[str, tuple[int, int]]:
        """Events of each in the last 24 hours, and in the week before."""
        last = hour_of(at) + _HOUR
        n = {"$add": [total("$parts"), total("$more")]}
        today = {"$cond": [{"$gte": ["$hour", last - DAY * _HOUR]}, n, 0]}
        found = self._database.hours.aggregate(
            [
                {"$match": {"issue": {"$in": ids}, "hour": {"$gte": last - SPAN, "$lt": last}}},
                {"$group": {"_id": "$issue", "all": {"$sum": n}, "day": {"$sum": today}}},
            ]
        )
        return {one["_id"]: (one["day"], one["all"] - one["day"]) for one in found}


class Trends:
    """Looks every `every_s` seconds, in a thread, while it is entered."""

    def __init__(self, store: TrendStore, every_s: float = EVERY_S) -> None:
        self._store = store
        self._every_s = every_s
        self._lock = threading.Lock()
        self._written: set[str] = set()
        self._all = True
        self._hour: datetime | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trends", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever it is at is done anew by the next one."""
        self._stopping.set()

    def wrote(self, issues: Iterable[str]) -> None:
        """Their counts have changed."""
        with self._lock:
            self._written.update(issues)
            if len(self._written) > MOST_WRITTEN:
                self._written.clear()
                self._all = True

    def look(self, at: datetime) -> None:
        """Bring up to date what has changed. Raises UnavailableError; the next look does all."""
        with self._lock:
            written, self._written = self._written, set()
            everything, self._all = self._all or self._hour != hour_of(at), False
        try:
            if everything:
                self._store.fold_days(at)
                self._store.update_all(at)
            else:
                self._store.update(written, at)
        except BaseException:
            self._all = True
            raise
        self._hour = hour_of(at)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look(datetime.now(UTC))
            except CatchwaterError as error:
                log.warning("trends are not up to date", why=str(error))
            except Exception:  # lists are sorted by it, no more: the counting goes on
                log.exception("trends are not up to date")
            self._stopping.wait(self._every_s)


def _chunks(of: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(of)
    while some := list(islice(rest, AT_ONCE)):
        yield some
