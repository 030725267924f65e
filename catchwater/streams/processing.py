"""Work on a batch: one answer per entry, whatever happens to its neighbours. No I/O here."""

from __future__ import annotations

import traceback
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from catchwater.answers import Answer, Move, Reject, Skip
from catchwater.errors import BreakerOpenError, UnavailableError
from catchwater.event import Event, decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.streams.commit import Entry

log = structlog.get_logger()

SPOOLED_MS = 7 * 86_400_000
"""How long an event may have waited in a spool. Older than that, ingest's clock was wrong."""

AHEAD_MS = 300_000
"""How far ingest's clock may be ahead of Redis's."""

YEAR_2020_MS = 1_577_836_800_000

LOGGED_FAILURES = 3
"""Failures of one batch that are written to the log."""

Answered = list[tuple["Entry", Answer]]


class Work(Protocol):
    """What a stage does with a batch: one answer per event, in order.

    Raises UnavailableError when the same batch must be tried again later. Any other exception is
    the fault of an event, or of the stage.
    """

    def __call__(self, events: Sequence[Event]) -> Sequence[Answer]: ...


class Breaker:
    """Open while the stage raises for most events: a bug in the stage, not bad data.

    Its events must then wait for a fix instead of becoming dead letters. It opens

    - when at least `least` of the last `window` events made the stage raise, and more than the
      fraction `share` of them, or
    - when `in_a_row` events did and no batch had another result: so it holds at any rate.

    While it is open, each batch is a probe. It closes when a batch has at most `share` failures.
    """

    def __init__(
        self, window: int = 200, share: float = 0.5, least: int = 20, in_a_row: int = 5
    ) -> None:
        self._recent: deque[bool] = deque(maxlen=window)
        self._share = share
        self._least = least
        self._in_a_row = in_a_row
        self._row = 0
        self.is_open = False

    def record(self, failures: Sequence[bool]) -> None:
        """Add a batch: for each event, whether the stage raised.

        Raises BreakerOpenError when the batch must wait.
        """
        if not failures:
            return
        if self.is_open:
            self._recent.clear()
        self._recent.extend(failures)
        self._row = self._row + len(failures) if all(failures) else 0
        failed = sum(self._recent)
        most = failed > self._share * len(self._recent)
        self.is_open = most and (self.is_open or failed >= self._least)
        self.is_open |= self._row >= self._in_a_row
        if self.is_open:
            raise BreakerOpenError(
                f"{failed} of the last {len(self._recent)} events made the stage raise; they wait "
                "until it is fixed: see its log"
            )


def answer_batch(
    work: Work,
    batch: Sequence[Entry],
    tries: int,
    breaker: Breaker,
    places: Sequence[int] = (),
) -> Answered:
    """Returns each entry with its answer, those that are answered before the work first.

    An entry is rejected when it cannot be decoded, when it makes the stage raise, or when it was
    delivered `tries` times before without a commit. `places` are the partitions that the entries
    belong to; one in another is to be moved. Raises BreakerOpenError and UnavailableError.
    """
    settled: Answered = []
    entries: list[Entry] = []
    events: list[Event] = []
    for entry, place in zip(batch, places or _where_they_are(batch), strict=True):
        event = _decoded(entry, tries)
        if isinstance(event, Reject):
            settled.append((entry, event))
        elif place != entry.partition:
            settled.append((entry, Move(event)))
        else:
            entries.append(entry)
            events.append(event)
    results = _results(work, events)
    _log_failures(events, results)
    breaker.record([result.raised for result in results])
    answers = [result.answer for result in results]
    return settled + list(zip(entries, answers, strict=True))


def _where_they_are(batch: Sequence[Entry]) -> list[int]:
    return [entry.partition for entry in batch]


def split_replayed(stage: str, batch: Sequence[Entry]) -> tuple[Sequence[Entry], Answered]:
    """Returns the entries that `stage` must work on, and the others, each with a Skip.

    A replayed dead letter is added to the stream again with the name of its stage in the field
    `for`. Every group that reads the stream gets it; only that stage works on it.
    """
    name = stage.encode()
    own = [entry for entry in batch if entry.fields.get(b"for", name) == name]
    if len(own) == len(batch):
        return batch, []
    return own, [(entry, Skip()) for entry in batch if entry.fields.get(b"for", name) != name]


def _decoded(entry: Entry, tries: int) -> Event | Reject:
    if entry.tries > tries:
        return Reject(
            f"delivered {entry.tries - 1} times and never committed: "
            "it may kill the stage that works on it"
        )
    try:
        event = decode(entry.fields)
    except ValueError as error:
        return Reject(str(error))
    received = event.received if b"for" in entry.fields else _believable(event.received, entry.id)
    return event if received == event.received else replace(event, received=received)


def _believable(received: int, entry_id: str) -> int:
    """When an event was received, by ingest's clock, or by Redis's where ingest's is far off.

    Redis's own clock is not believed before 2020. A replayed event keeps its time.
    """
    added = int(entry_id.partition("-")[0])
    if added < YEAR_2020_MS or added - SPOOLED_MS <= received <= added + AHEAD_MS:
        return received
    return added


class _Result(NamedTuple):
    answer: Answer
    raised: bool = False


def _results(work: Work, events: Sequence[Event]) -> list[_Result]:
    """One result per event. A batch that raises is run again, one event at a time."""
    if not events:
        return []
    try:
        return [_Result(answer) for answer in work(events)]
    except UnavailableError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a stage raises ends in the dead letters
        if len(events) == 1:
            trace = "".join(traceback.format_exception(error))
            return [_Result(Reject(trace[-2000:]), raised=True)]
    return [result for event in events for result in _results(work, [event])]


def _log_failures(events: Sequence[Event], results: Sequence[_Result]) -> None:
    """Write the first failures of a batch to the log: all of them may fail, again and again."""
    failures = [
        (event.id, result.answer.why)
        for event, result in zip(events, results, strict=True)
        if result.raised and isinstance(result.answer, Reject)
    ]
    for event_id, why in failures[:LOGGED_FAILURES]:
        log.error("a stage raised", event_id=event_id, why=why, of_this_batch=len(failures))
