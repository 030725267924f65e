"""Whether 2xx means that an event is on a disk: what Redis is set to decides that."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from catchwater import metrics
from catchwater.errors import RefusedError, UnavailableError

log = structlog.get_logger()

CHECK_EVERY_S = 10.0
"""Seconds between two looks: a setting of Redis can be changed while it runs."""


class Target(Protocol):
    """Where events go: an EventProducer."""

    async def durability_problem(self) -> str: ...


class Durability:
    """Shown as `catchwater_durable`, and in /readyz unless losses are allowed."""

    def __init__(self, producer: Target, *, allow_loss: bool) -> None:
        self._producer = producer
        self._allow_loss = allow_loss
        self.not_ready_reason = ""

    async def check(self) -> None:
        """Raises RefusedError where events may be lost and that is not allowed.

        Raises UnavailableError while Redis is away.
        """
        problem = await self._producer.durability_problem()
        metrics.DURABLE.set(not problem)
        if not problem:
            self.not_ready_reason = ""
        elif self._allow_loss:
            log.warning("accepted events may be lost with Redis's machine", why=problem)
        else:
            self.not_ready_reason = (
                f"2xx would not mean that an event is on a disk: {problem}; set appendonly yes and "
                "appendfsync always in Redis, wait for replicas, or start with --allow-loss"
            )
            raise RefusedError(self.not_ready_reason)

    async def watch(self) -> None:
        """Check for ever."""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            try:
                await self.check()
            except UnavailableError:
                pass  # what comes meanwhile is spooled, and that is on a disk
            except RefusedError as error:
                log.error("not durable", why=str(error))  # noqa: TRY400 - its own words suffice
