"""What a producer has added to each place whose data Redis can lose by itself: to its one node, or
on a cluster to each partition. Pure.

A place has its own count in Redis, in one slot with its events, so both fall back together.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from catchwater.errors import CatchwaterError
from catchwater.streams import keys
from catchwater.streams.added_log import AddedLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ADDED_TTL_S = 86_400
"""Seconds until Redis forgets how much a process added that has ended."""

ALL = ("",)
"""The tags of the places where there is one for all partitions."""


class Places:
    def __init__(self, tags: Sequence[str], sender: str) -> None:
        """`tags` are those of the partitions on a cluster, else ALL."""
        self._tags = tags
        self._counters = counters_of(sender, tags)
        self._logs = [AddedLog() for _ in tags]
        self._lost = 0

    @property
    def confirmed(self) -> int:
        """How many events Redis has confirmed, in all."""
        return sum(log.last for log in self._logs)

    def adding(self, partitions: Iterable[int]) -> Adding:
        """One round trip, with events for these partitions."""
        only_one = len(self._tags) == 1
        return Adding(self, Counter(0 if only_one else one for one in partitions))

    def marking(self, places: Iterable[int]) -> list[tuple[Any, ...]]:
        """A write in each of these that changes nothing: WAIT asks for the last write."""
        return Adding(self, Counter(dict.fromkeys(places, 0))).commands

    def reading(self) -> tuple[list[tuple[str, str]], list[int]]:
        """Commands that read the counts, and what Redis had confirmed before they are sent."""
        return [("GET", counter) for counter in self._counters], [log.last for log in self._logs]

    def compare(self, counts: Sequence[Any], expected: Sequence[int]) -> int:
        """How many events are lost, since this was asked last, of what `reading` read.

        Of a Redis that is another one, or was emptied, nothing can be said; of a node of a cluster
        that is away, with an error in the place of its count, nothing yet.
        """
        for place, (count, before) in enumerate(zip(counts, expected, strict=True)):
            if not isinstance(count, CatchwaterError):
                self.saw(place, int(count or 0), before)
        lost, self._lost = self._lost, 0
        return lost

    def saw(self, place: int, count: int, expected: int) -> None:
        """Redis counts so much in this place, and had confirmed `expected` before it was asked."""
        if count == 0:
            self._logs[place] = AddedLog()
        else:
            self._lost += self._logs[place].lost(count, expected)

    def confirm(self, place: int, count: int, events: int) -> None:
        self._logs[place].add(count, events)

    def last(self, place: int) -> int:
        return self._logs[place].last

    def counter(self, place: int) -> str:
        return self._counters[place]


class Adding:
    """What one round trip adds to each place."""

    def __init__(self, places: Places, added: Counter[int]) -> None:
        self._places = places
        self._added = added
        self._expected = [places.last(place) for place in added]
        self._counts: Sequence[int] = ()
        self.commands: list[tuple[Any, ...]] = []
        """They count what is added; to be sent after it, on the same connection."""
        for place, events in added.items():
            self.commands.append(("INCRBY", places.counter(place), events))
            self.commands.append(("EXPIRE", places.counter(place), ADDED_TTL_S))

    def saw(self, replies: Sequence[Any]) -> None:
        """The replies to the commands: what was counted before shows what Redis has lost."""
        self._counts = replies[::2]
        rows = zip(self._added.items(), self._counts, self._expected, strict=True)
        for (place, events), count, expected in rows:
            self._places.saw(place, count - events, expected)

    def confirm(self) -> None:
        """After `saw`: these events are as safe as they have to be."""
        for (place, events), count in zip(self._added.items(), self._counts, strict=True):
            self._places.confirm(place, count, events)


def counters_of(sender: str, tags: Sequence[str]) -> list[str]:
    """Where a producer's counts are."""
    return [keys.added(sender, tag) for tag in tags]


def total(counts: Sequence[bytes | None]) -> int | None:
    """The counts of a producer in all places; None where Redis does not know it."""
    known = [int(count) for count in counts if count is not None]
    return sum(known) if known else None
