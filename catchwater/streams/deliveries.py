"""What Redis says of entries that were delivered and not committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from catchwater.streams.commit import Entry


class PendingEntry(NamedTuple):
    """An entry that is pending for this consumer, and how often it was delivered so far."""

    partition: int
    id: str
    deliveries: int


class HeldEntry(NamedTuple):
    """An entry that is pending for another consumer, and how often it was delivered so far."""

    partition: int
    id: str
    consumer: bytes
    deliveries: int


class Delivered(NamedTuple):
    """Pending entries, read. `vanished` counts those that are no longer in the stream."""

    entries: list[Entry]
    vanished: int


class Claimed(NamedTuple):
    """The result of a claim.

    `cursors` has one cursor per partition, where the next claim continues; b"0-0" is the beginning.
    `vanished` counts pending entries that are no longer in the stream: accepted events, lost.
    """

    cursors: list[bytes]
    vanished: int
