"""How many entries to read at once: a batch is bounded in bytes, though Redis counts entries."""

from __future__ import annotations

BATCH_BYTES = 4_000_000
"""What the entries of a batch come to, about. In memory they take several times as much."""

FIRST = 16
"""Entries of the first batch: nobody knows yet how large they are."""


class BatchSize:
    """The number of entries of the next batch, from the bytes of those before.

    It starts small and doubles while batches are full and small. So the bound can be exceeded only
    where small events are followed by a full batch of large ones, within one turn.
    """

    def __init__(self, most: int) -> None:
        """`most` is the stage's `batch`."""
        self._most = most
        self.entries = min(FIRST, most)

    def reset(self) -> None:
        """Start small again: what has gathered during an outage may be large."""
        self.entries = min(FIRST, self._most)

    def record(self, sizes: list[int]) -> None:
        """Learn from a batch: the bytes of each of its entries."""
        if not sizes:
            return
        fitting = max(1, BATCH_BYTES * len(sizes) // max(1, sum(sizes)))
        wanted = 2 * self.entries if len(sizes) >= self.entries // 2 else self.entries
        self.entries = min(self._most, wanted, fitting)
