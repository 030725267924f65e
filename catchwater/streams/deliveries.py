"""What Redis says of entries that were delivered and not committed, and of groups with such."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from catchwater.redis_client import as_mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from catchwater.streams.commit import Entry

T = TypeVar("T")


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
    """Pending entries, read. `vanished` counts those that are no longer in the stream, and were
    pending for this consumer until then.
    """

    entries: list[Entry]
    vanished: int


class Claimed(NamedTuple):
    """The result of a claim.

    `cursors` has one cursor per partition, where the next claim continues; b"0-0" is the beginning.
    `vanished` counts pending entries that are no longer in the stream: accepted events, lost.
    """

    cursors: list[bytes]
    vanished: int


def is_unread(info: dict[bytes, Any], groups: Sequence[Any], readers: set[bytes]) -> bool:
    """Whether any of these groups has still to work on what is in a stream, or to be made."""
    if info[b"length"] == 0:
        return False
    known = {group[b"name"]: group for group in map(as_mapping, groups)}
    return any(
        name not in known
        or known[name][b"pending"]
        or known[name][b"last-delivered-id"] != info[b"last-generated-id"]
        for name in readers
    )


def vanished(asked: Iterable[str], listed: Sequence[Any], delivered: Sequence[Any]) -> int:
    """How many of the entries `asked` for were lost: `listed` as pending for the consumer just
    before, and not `delivered`.

    One that is not listed any more was committed: by who claimed it while this consumer, with much
    to do, came to it later than `claim_after`. It may be trimmed by now, and is counted.
    """
    pending = {id_ for id_, *_ in listed}.intersection(map(str.encode, asked))
    return len(pending - {id_ for id_, _ in delivered})


def by_partition(items: Iterable[tuple[int, T]]) -> dict[int, list[T]]:
    grouped: defaultdict[int, list[T]] = defaultdict(list)
    for partition, item in items:
        grouped[partition].append(item)
    return grouped
