"""Counts of issues over time, from MongoDB: those of days that are folded, and the hours since."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catchwater.issues.days import DAY, day_of
from dashboard import json_fields, times
from dashboard.spans import HOURS, first_day, first_hour

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from catchwater.event import Json
    from dashboard.json_fields import Counted
    from dashboard.reader import MongoReader


@dataclass(frozen=True, slots=True)
class Counts:
    """By issue, oldest first; an issue that has nothing in that time is not in it."""

    by_hour: dict[str, list[int]]
    by_day: dict[str, list[int]]
    days: int

    def hours(self, issues: Sequence[str]) -> list[int]:
        """The last 24 hours of several issues together."""
        return _together(self.by_hour, issues, HOURS)

    def of_days(self, issues: Sequence[str]) -> list[int]:
        """The same of the days that were asked for."""
        return _together(self.by_day, issues, self.days)


async def read(store: MongoReader, issues: Sequence[str], at: datetime, days: int) -> Counts:
    """Of these issues, of the 24 hours and so many days up to the time `at`."""
    if not issues:
        return Counts({}, {}, days)
    first, since = first_day(at, days), first_hour(at)
    if not days:
        hours = json_fields.hourly(await store.hours(issues, since))
        return Counts(json_fields.series(hours, since, times.HOUR, HOURS), {}, 0)
    folded, until, hours = await _around(store, issues, first, at)
    by_hour = json_fields.series(hours, since, times.HOUR, HOURS)
    by_day = json_fields.series([one for one in hours if one[1] >= until], first, DAY, days)
    json_fields.add_folded(by_day, folded, first, days, until)
    return Counts(by_hour, by_day, days)


async def _around(
    store: MongoReader, issues: Sequence[str], first: datetime, at: datetime
) -> tuple[list[Json], datetime, list[Counted]]:
    """Documents of the days from `first` on, until when they count, and all hours since then.

    Today is never folded. Mostly all before today is, so today's hours are asked for meanwhile.
    """
    recent = min(first_hour(at), day_of(at))
    folded, until, hours = await asyncio.gather(
        store.days(issues, first), store.days_until(), store.hours(issues, recent)
    )
    until = min(max(until or first, first), day_of(at))
    if until < recent:
        hours += await store.hours(issues, until, recent)
    return folded, until, json_fields.hourly(hours)


def _together(counts: dict[str, list[int]], issues: Sequence[str], length: int) -> list[int]:
    found = [counts[one] for one in issues if one in counts]
    return [sum(each) for each in zip(*found, strict=True)] if found else [0] * length
