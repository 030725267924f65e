"""The sink's work: a batch of counted events to MongoDB, whole, before it is acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from catchwater.answers import Answer, Reject, Stored
from catchwater.errors import RefusedDocumentError
from sink.fold import Writes, fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.event import Event


class Target(Protocol):
    def write(self, writes: Writes) -> None: ...


def store_in(target: Target, events: Sequence[Event]) -> list[Answer]:
    """Stored, each of them, or Rejected: what MongoDB refuses goes to the dead letters, its
    neighbours go on.
    """
    writes = Writes()
    answers = [_folded(writes, event) for event in events]
    good = [event for event, answer in zip(events, answers, strict=True) if answer is None]
    if len(good) < len(events):
        writes = _without_faults(good)
    stored = iter(_written(target, writes, good))
    return [answer or next(stored) for answer in answers]


def _folded(writes: Writes, event: Event) -> Reject | None:
    try:
        fold(writes, event)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        return Reject(f"not a counted event: {error!r}")
    return None


def _without_faults(good: Sequence[Event]) -> Writes:
    """Of the others, what was read before their faults is in no count: they are dead letters."""
    writes = Writes()
    for event in good:
        fold(writes, event)
    return writes


def _written(target: Target, writes: Writes, events: Sequence[Event]) -> list[Answer]:
    try:
        target.write(writes)
    except RefusedDocumentError as error:
        if len(events) == 1:
            return [Reject(f"MongoDB refuses it: {error}")]
        return [answer for event in events for answer in store_in(target, [event])]
    return [Stored()] * len(events)
