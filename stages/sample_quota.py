"""How many events of an issue are worth sending on whole: samples are few, events are many."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catchwater.event import Event
    from catchwater.stage import SamplesWanted

_HOUR_MS = 3_600_000

_MOST = 50_000
"""Issues and partitions that are remembered, some 150 bytes each."""


class SampleQuota:
    """What this process has sent on whole, by issue and partition: first ones, then some an hour,
    as the commit that counts them chooses samples.

    Forgetting it costs bytes and nothing else: more events are whole than are wanted.
    """

    def __init__(self, wanted: SamplesWanted) -> None:
        self._wanted = wanted
        self._sent: dict[tuple[str, int], _Sent] = {}

    def is_used_up(self, issue: str, event: Event) -> bool:
        """Whether an event of an issue need not be whole."""
        sent = self._sent.get((issue, self._wanted.partition_of(event.id)))
        if sent is None or sent.first < self._wanted.first:
            return False
        return sent.hour == event.received // _HOUR_MS and sent.in_hour >= self._wanted.hourly

    def take(self, issue: str, event: Event) -> bool:
        """Whether such an event is to be whole. If so, it is one of them from now on."""
        if self.is_used_up(issue, event):
            return False
        if len(self._sent) >= _MOST:
            self._sent.clear()
        key = issue, self._wanted.partition_of(event.id)
        self._sent.setdefault(key, _Sent()).add(event.received // _HOUR_MS)
        return True


class _Sent:
    """How many of one issue and partition: in all, and in the last hour."""

    __slots__ = ("first", "hour", "in_hour")

    def __init__(self) -> None:
        self.first = self.hour = self.in_hour = 0

    def add(self, hour: int) -> None:
        self.in_hour = self.in_hour + 1 if hour == self.hour else 1
        self.first, self.hour = self.first + 1, hour
