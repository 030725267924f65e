"""Whether an event may come in at all: decided before its body is read. Pure."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catchwater.pipeline import Snapshot
    from catchwater.projects import Project
    from catchwater.streamdefs import StreamDefs

OVER_LIMIT_WAIT = 30
"""Seconds a client is told to stay away when a stream is over its limit or Redis's memory is short."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Not now: the status, the reason that is counted, and after how many seconds to try again."""

    status: int
    reason: str
    retry_after: int
    text: str


def pressure(snapshot: Snapshot | None, defs: StreamDefs, watermark: float) -> Refusal | None:
    """Why nothing more may come in: a stream over its limit, or Redis's memory over the watermark (0 to 1)."""
    if snapshot is None:
        return None
    for name, stream in defs.streams.items():
        if snapshot.waiting(name) >= stream.limit:
            return Refusal(429, "stream_full", OVER_LIMIT_WAIT, f"too many events wait in {name!r}: come again later")
    if snapshot.memory_limit and snapshot.memory_used >= watermark * snapshot.memory_limit:
        return Refusal(503, "memory", OVER_LIMIT_WAIT, "the memory for events is nearly full: come again later")
    return None


class Rates:
    """A token bucket for each project with a rate; a second's worth of events may come at once.

    Refused posts cost nothing, or a page that hammers would never let one event in. What a post brings is only known
    when it is read, so one post may overdraw; the project then waits until that is paid back.
    """

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[float, float]] = {}

    def refusal(self, project: Project, now: float | None = None) -> Refusal | None:
        """None when the project may send one more event."""
        if project.rate is None:
            return None
        moment = time.monotonic() if now is None else now
        burst = max(1.0, project.rate)
        tokens, since = self._tokens.get(project.id, (burst, moment))
        tokens = min(burst, tokens + (moment - since) * project.rate)
        self._tokens[project.id] = (tokens, moment)
        if tokens >= 1:
            return None
        wait = max(1, math.ceil((1 - tokens) / project.rate))
        return Refusal(429, "rate", wait, f"more than {project.rate:g} events a second")

    def spend(self, project: str, events: int) -> None:
        """That many events of the project with this id came in."""
        if project in self._tokens:
            tokens, since = self._tokens[project]
            self._tokens[project] = (tokens - events, since)
