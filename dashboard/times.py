"""Times as the dashboard says them:

ISO-8601 in UTC with milliseconds for programs, plain words for people.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from catchwater.instants import iso

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_STEPS = ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h"))


def now() -> datetime:
    return datetime.now(UTC)


def instant(value: Any) -> datetime | None:
    """The time that a document holds: a date of MongoDB's or milliseconds since 1970.

    None for anything else.
    """
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return EPOCH + timedelta(milliseconds=value)
    except (OverflowError, ValueError):
        return None


def milliseconds(time: datetime) -> int:
    """Since 1970: what `instant` turns back into the same time, exactly for the dates that
    MongoDB stores.
    """
    return round((time - EPOCH) / timedelta(milliseconds=1))


def iso_or_none(value: Any) -> str | None:
    time = instant(value)
    return iso(time) if time else None


def parsed(text: str) -> datetime | None:
    """An ISO-8601 time; without an offset it is UTC. None when it is not one."""
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def ago(time: datetime, at: datetime) -> str:
    """`12 s ago`, `5 min ago`, `3 h ago`, `9 d ago`; `just now` also for a clock that runs
    ahead.
    """
    elapsed = (at - time).total_seconds()
    if elapsed < 1:
        return "just now"
    for limit, unit, name in _STEPS:
        if elapsed < limit:
            return f"{int(elapsed / unit)} {name} ago"
    return f"{int(elapsed / 86_400)} d ago"


def lasting(seconds: float | None) -> str:
    """A duration for people: `0.4 s`, `12 s`, `5 min`, `3.2 h`. A dash for none."""
    if seconds is None:
        return "—"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
