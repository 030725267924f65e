"""How many events a second a project may send: a token bucket for each project with a `rate`, which
all ingest processes share in Redis.
"""

from __future__ import annotations

import asyncio
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog

from catchwater.errors import RefusedRequestError, UnavailableError
from ingest import responses
from ingest.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.config.projects import Project

log = structlog.get_logger()

SCRIPT = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")

DEBT_S = 5.0
"""Seconds that a project may have to wait because of one post: what a post brings beyond what the
bucket has is owed.
"""

PATIENCE_S = 0.3
"""How long a post waits for Redis before this process's own bucket is asked."""

REST_S = 1.0
"""How long only that one is asked, after Redis was found away."""


class Redis(Protocol):
    """Where the buckets are: an EventProducer."""

    async def bucket(self, script: str, project: str, args: Sequence[str]) -> list[int]: ...


class Bucket:
    """What rates.lua does, in this process alone."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[float, float]] = {}

    def take(self, project: str, rate: float, events: int, now: float) -> tuple[float, float]:
        """Take tokens at the monotonic time `now`.

        Returns after how many seconds so many events may come, 0 if they may now and were paid
        for; and after how many seconds a single one may.
        """
        burst = max(1.0, rate)
        tokens, since = self._tokens.get(project, (burst, now))
        tokens = min(burst, tokens + (now - since) * rate)
        least = max(1.0, min(events - DEBT_S * rate, burst))
        if tokens >= least:
            tokens = max(tokens - events, -DEBT_S * rate)
            self._tokens[project] = (tokens, now)
            return 0.0, 0.0
        self._tokens[project] = (tokens, now)
        return (least - tokens) / rate, max(0.0, (1 - tokens) / rate)


class Rates:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._own = Bucket()
        self._away_until = 0.0
        self._closed_until: dict[str, float] = {}

    def refusal(self, project: Project) -> Refusal | None:
        """Why not even one event may come, as far as this process knows; None otherwise."""
        if project.rate is None:
            return None
        wait_s = self._closed_until.get(project.id, 0.0) - time.monotonic()
        return _refusal(project.rate, wait_s) if wait_s > 0 else None

    async def take(self, project: Project, events: int) -> None:
        """Pay for the events of a post that is about to be accepted.

        Raises RefusedRequestError (429) when the project has to wait: then nothing was paid.
        """
        if project.rate is None or not events:
            return
        wait_s, closed_s = await self._ask(project.id, project.rate, events)
        if wait_s > 0:
            self._closed_until[project.id] = time.monotonic() + closed_s
            refusal = _refusal(project.rate, wait_s)
            raise RefusedRequestError(refusal.reason, responses.refused(refusal))

    async def _ask(self, project: str, rate: float, events: int) -> tuple[float, float]:
        now = time.monotonic()
        if now >= self._away_until:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    args = [str(events), str(rate), str(DEBT_S)]
                    wait_ms, closed_ms = await self._redis.bucket(SCRIPT, project, args)
                return wait_ms / 1000, closed_ms / 1000
            except (UnavailableError, TimeoutError) as error:
                self._away_until = now + REST_S
                log.warning("rates are kept by this process alone", why=str(error))
        return self._own.take(project, rate, events, now)


def _refusal(rate: float, wait_s: float) -> Refusal:
    return Refusal(429, "rate", max(1, math.ceil(wait_s)), f"more than {rate:g} events a second")
