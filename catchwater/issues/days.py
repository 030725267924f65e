"""Counts of issues by the day, which is UTC's: what the sink folds those by the hour into.

A document of `days` is an issue's month: `counts` by day of the month (`01`). One document says
until when days are folded; what came later is read by the hour. Pure.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

FOLDED = "folded"
"""The `_id` of the document whose `until` is the beginning of the first day that is not folded."""

DAY = timedelta(days=1)

LATE_AFTER = timedelta(hours=3)
"""After its day is over: what the sink writes then is folded at once, and not with its day."""

FOLDED_AFTER = timedelta(hours=4)
"""After a day is over it is folded: whatever was not late has been written by then."""


def day_of(time: datetime) -> datetime:
    """When the day of `time` began."""
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def month_of(time: datetime) -> datetime:
    return day_of(time).replace(day=1)


def late_before(at: datetime) -> datetime:
    """Hours before this one are late, if they are written at the time `at`."""
    return day_of(at - LATE_AFTER)


def foldable_until(at: datetime) -> datetime:
    """The days before this one may be folded at the time `at`."""
    return day_of(at - FOLDED_AFTER)


def identity(issue: str, day: datetime) -> str:
    """The `_id` of the document that a day of an issue is in."""
    return f"{issue}:{day:%Y%m}"


def upsert(issue: str, day: datetime, n: int) -> dict[str, Any]:
    """The update that a day comes to: `n` only grows, so it may be done again, in any order.

    A small number is stored as one, whatever MongoDB has added it up in.
    """
    about = {"issue": issue, "month": month_of(day)}
    return {"$max": {f"counts.{day:%d}": int(n)}, "$setOnInsert": about}
