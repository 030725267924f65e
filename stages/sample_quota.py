"""How many events of an issue are worth sending on whole: samples are few, events are many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catchwater.streams import time_buckets

if TYPE_CHECKING:
    from catchwater.event import Event
    from catchwater.stage import SamplesWanted

_SPAN_MS = 600_000
"""In each span of so long as many are whole as are wanted of an hour: earlier ones may have ended
as copies or dead letters, or Redis may have lost them. Those too many end at the count.
"""

_MOST = 50_000
"""Issues and partitions that are remembered, some 200 bytes each."""

_LATELY = 5_000
"""Events that were whole lately, some 130 bytes each: more than one batch has of them."""


class SampleQuota:
    """What this process has sent on whole, by issue and partition: the first ones of a month, then
    some now and then, so that the commit that counts them has samples to choose.

    A batch may be worked on more than once until it is committed. So an event that was whole is
    whole again, and is not one more. Forgetting costs bytes and nothing else: more events are
    whole than are wanted.
    """

    def __init__(self, wanted: SamplesWanted) -> None:
        self._wanted = wanted
        self._sent: dict[tuple[str, int], _Sent] = {}
        self._whole: set[str] = set()
        self._whole_before: set[str] = set()

    def is_used_up(self, issue: str, event: Event) -> bool:
        """Whether an event of an issue need not be whole."""
        sent = self._sent.get((issue, self._wanted.partition_of(event.id)))
        if sent is None or sent.first < self._wanted.first:
            return False
        if event.id in self._whole or event.id in self._whole_before:
            return False
        return sent.span == event.received // _SPAN_MS and sent.in_span >= self._wanted.hourly

    def take(self, issue: str, event: Event) -> bool:
        """Whether such an event is to be whole. If so, it is one of them from now on."""
        if self.is_used_up(issue, event):
            return False
        if event.id not in self._whole and event.id not in self._whole_before:
            self._charge(issue, event)
            self._remember(event)
        return True

    def _charge(self, issue: str, event: Event) -> None:
        if len(self._sent) >= _MOST:
            self._sent.clear()
        key = issue, self._wanted.partition_of(event.id)
        self._sent.setdefault(key, _Sent()).add(event.received)

    def _remember(self, event: Event) -> None:
        if len(self._whole) >= _LATELY:
            self._whole, self._whole_before = set(), self._whole
        self._whole.add(event.id)


class _Sent:
    """How many of one issue and partition: in the last month, and in the last span."""

    __slots__ = ("first", "in_span", "month", "span")

    def __init__(self) -> None:
        self.first = self.span = self.in_span = 0
        self.month = ""

    def add(self, received: int) -> None:
        span, month = received // _SPAN_MS, time_buckets.month(received)
        self.in_span = self.in_span + 1 if span == self.span else 1
        self.first = self.first + 1 if month == self.month else 1
        self.span, self.month = span, month
