"""What a process added to Redis, and where it stands in Redis's own count of that: so that a Redis
which falls back to an earlier state can be told what it lost. Pure.
"""

from __future__ import annotations

from collections import deque

MOST = 20_000
"""Batches that are remembered: some minutes at full load. Redis never falls back further by losing
the end of its log; a backup is another thing.
"""


class AddedLog:
    def __init__(self) -> None:
        self._batches: deque[tuple[int, int]] = deque(maxlen=MOST)
        self.last = 0
        """The highest count that Redis has confirmed."""

    def add(self, count: int, events: int) -> None:
        """Redis confirmed these events; with them it counts `count` in all of this process."""
        self._batches.append((count, events))
        self.last = max(self.last, count)

    def lost(self, count: int, expected: int) -> int:
        """How many confirmed events a Redis lost that counts `count`, when it had confirmed
        `expected` before it was asked. They are told once.
        """
        if count >= expected:
            return 0
        lost = sum(events for at, events in self._batches if count < at <= expected)
        kept = [(at, events) for at, events in self._batches if at <= count]
        self._batches.clear()
        self._batches.extend(kept)
        self.last = count
        return lost
