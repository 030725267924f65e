"""Run a stage with no server, on a list of events in which a crash is an item.

    result = run(my_stage, [e1, e2, CRASH, e3])
    assert [event.id for event in result.emitted] == [e1.id, e2.id, e3.id]

Entries are delivered and committed as in a real pipeline. What a consumer had read and not
committed when it crashed is delivered again, and only the first commit of an entry counts.
`DUPLICATE` delivers the entry before it to a second consumer too, as if that had claimed it from
the first while it was still at work.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from catchwater.answers import Answer, Drop, Emit, Reject, Skip
from catchwater.event import Event, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from catchwater.answers import StageFunction


class Failure(Enum):
    """What can go wrong between reading an entry and committing it."""

    CRASH = "the consumer dies before its commit; its batch is delivered again"
    DUPLICATE = "the entry before this one is worked on by a second consumer, too"


CRASH = Failure.CRASH
DUPLICATE = Failure.DUPLICATE


@dataclass(slots=True)
class Result:
    """The effects of a stage's answers, in the order of their commits."""

    emitted: list[Event] = field(default_factory=list)
    duplicates: list[Event] = field(default_factory=list)
    dropped: list[tuple[Event, str]] = field(default_factory=list)
    rejected: list[tuple[Event, str]] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    """Events by issue."""
    occurrences: Counter[str] = field(default_factory=Counter)
    """Occurrences that these events stand for, by issue."""
    client_reports: Counter[str] = field(default_factory=Counter)
    """Errors that clients say they discarded themselves, by reason."""
    stale: int = 0
    """Entries whose answer was discarded, as they had been committed before."""


def run(stage: StageFunction, items: Iterable[Event | Failure], *, batch: int = 2) -> Result:
    """Run the stage on these items, read `batch` at a time.

    An event that makes the stage raise is rejected.
    """
    partition = _Partition(stage)
    for item in items:
        if isinstance(item, Event):
            partition.add(item)
            if len(partition.uncommitted) == batch:
                partition.commit()
        elif item is CRASH:
            partition.crash()
        else:
            partition.deliver_again()
    partition.commit()
    return partition.result


class _Partition:
    """One partition in memory.

    An entry is its encoded fields, as in Redis: a stage sees a decoded copy each time.
    """

    def __init__(self, stage: StageFunction) -> None:
        self._stage = stage
        self._entries: list[dict[bytes, bytes]] = []
        self._done: set[int] = set()
        self._marks: set[str] = set()
        self.uncommitted: list[tuple[int, Answer]] = []
        self.result = Result()

    def add(self, event: Event) -> None:
        self._entries.append(encode(event))
        self._work(len(self._entries) - 1)

    def crash(self) -> None:
        """Discard the answers that were not committed, and work on their entries again."""
        redelivered, self.uncommitted = self.uncommitted, []
        for entry, _ in redelivered:
            self._work(entry)

    def deliver_again(self) -> None:
        self._work(len(self._entries) - 1)

    def commit(self) -> None:
        for entry, answer in self.uncommitted:
            if entry in self._done:
                self.result.stale += 1
            else:
                self._done.add(entry)
                self._apply(decode(self._entries[entry]), answer)
        self.uncommitted = []

    def _work(self, entry: int) -> None:
        try:
            answer = self._stage(decode(self._entries[entry]))
        except Exception as error:  # noqa: BLE001 - whatever a stage raises ends in the dead letters
            answer = Reject(repr(error))
        self.uncommitted.append((entry, answer))

    def _apply(self, event: Event, answer: Answer) -> None:
        match answer:
            case Drop(reason, client_reports):
                self.result.dropped.append((event, reason))
                self.result.client_reports.update(client_reports)
            case Skip():
                self.result.dropped.append((event, "skipped"))
            case Reject(why):
                self.result.rejected.append((event, why))
            case Emit():
                self._emit(event, answer)

    def _emit(self, event: Event, answer: Emit) -> None:
        if answer.once and answer.once in self._marks:
            self.result.duplicates.append(event)
            return
        self._marks.add(answer.once)
        self.result.emitted.append(answer.event)
        if answer.tally:
            self.result.counted[answer.tally.issue] += 1
            self.result.occurrences[answer.tally.issue] += answer.tally.n
