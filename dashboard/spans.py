"""How far back trends go: by the hour or by the day. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catchwater.instants import hour_of
from catchwater.issues.days import DAY, day_of
from dashboard import charts, times

if TYPE_CHECKING:
    from datetime import datetime

HOURS = 24
"""Bars of an issue by the hour, the last being the running one."""


@dataclass(frozen=True, slots=True)
class Span:
    """`key` in addresses, `words` for people. `days` by the day, today being the last; 0 of them:
    by the hour.
    """

    key: str
    words: str
    days: int = 0

    def first(self, at: datetime) -> datetime:
        """When the first bar begins, the last one having the time `at`."""
        return first_day(at, self.days) if self.days else first_hour(at)

    def axis(self, at: datetime) -> charts.Axis:
        """Days are UTC's, as they are counted."""
        first = self.first(at)
        if self.days:
            span = f"{self.words} (UTC)"
            return charts.axis(first, DAY, self.days, "%d %b", "on", span)
        return charts.axis(first, times.HOUR, HOURS, "%H:00 UTC", "at", self.words)


SPANS = {
    one.key: one
    for one in (Span("24h", "24 hours"), Span("14d", "14 days", 14), Span("90d", "90 days", 90))
}
DEFAULT = "24h"


def first_hour(at: datetime) -> datetime:
    """When the first of the `HOURS` hours began, the last of which is running at `at`."""
    return hour_of(at) - (HOURS - 1) * times.HOUR


def first_day(at: datetime, days: int) -> datetime:
    """When the first of so many days began, the last of which is running at `at`."""
    return day_of(at) - (days - 1) * DAY
