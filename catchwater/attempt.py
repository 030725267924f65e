"""Working on a batch: one answer an entry, whatever happens to its neighbours. No I/O here."""

from __future__ import annotations

import traceback
from collections import deque
from typing import TYPE_CHECKING, Protocol

import structlog

from catchwater.answers import Answer, Reject, Stored
from catchwater.connection import Unavailable
from catchwater.event import Event, decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.commit import Entry

log = structlog.get_logger()

Answered = list[tuple["Entry", Answer]]


class Work(Protocol):
    """What a stage does with a batch: one answer an event, in order. Raises Unavailable to keep the batch."""

    def __call__(self, events: Sequence[Event]) -> Sequence[Answer]: ...


class Broken(Exception):  # noqa: N818 - the state of a breaker
    """Too many events make the stage fail: that is a bug in the stage, so its events must wait, not die."""


class Breaker:
    """Opens when, of the last `window` events, more than `share` made the stage raise (and at least `least`)."""

    def __init__(self, window: int = 200, share: float = 0.5, least: int = 20) -> None:
        self._recent: deque[bool] = deque(maxlen=window)
        self._share = share
        self._least = least

    def judge(self, failures: Sequence[bool]) -> None:
        """Note what a batch came to. Raises Broken, and forgets, when that is too much."""
        self._recent.extend(failures)
        failed = sum(self._recent)
        if failed >= self._least and failed > self._share * len(self._recent):
            self._recent.clear()
            raise Broken(f"{failed} of the last events made the stage raise; they stay where they are: see the log")


def attempt(work: Work, batch: Sequence[Entry], tries: int, breaker: Breaker) -> Answered:
    """Each entry with its answer. One that cannot be read, that the stage raises for, or that was delivered
    too often and never committed, is rejected; its neighbours go on.
    """
    answered: Answered = []
    events: list[Event] = []
    good: list[Entry] = []
    for entry in batch:
        event = _readable(entry, tries)
        if isinstance(event, Reject):
            answered.append((entry, event))
        else:
            events.append(event)
            good.append(entry)
    answers, failures = _answers(work, events)
    breaker.judge(failures)
    return answered + list(zip(good, answers, strict=True))


def meant_for(stage: str, batch: Sequence[Entry]) -> tuple[list[Entry], Answered]:
    """What this stage has to work on, and what was replayed for another that reads the same stream."""
    mine = [entry for entry in batch if entry.fields.get(b"for", stage.encode()) == stage.encode()]
    return mine, [(entry, Stored()) for entry in batch if entry not in mine] if len(mine) < len(batch) else []


def _readable(entry: Entry, tries: int) -> Event | Reject:
    if entry.tries > tries:
        return Reject(f"delivered {entry.tries - 1} times and never committed: it may kill the stage that works on it")
    try:
        return decode(entry.fields)
    except ValueError as error:
        return Reject(str(error))


def _answers(work: Work, events: Sequence[Event]) -> tuple[list[Answer], list[bool]]:
    """The answers, and for each whether the stage raised. A batch that raises is run one by one."""
    if not events:
        return [], []
    try:
        return list(work(events)), [False] * len(events)
    except Unavailable:
        raise
    except Exception as error:
        if len(events) == 1:
            log.exception("a stage raised", event_id=events[0].id)
            return [Reject("".join(traceback.format_exception(error))[-2000:])], [True]
    parts = [_answers(work, [event]) for event in events]
    return [answer for answers, _ in parts for answer in answers], [failed for _, fails in parts for failed in fails]
