"""Kills: processes of every kind are killed, or put to sleep for longer than their work is
theirs.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.system import ChaosSystem

SLEEP = 1.6
"""Seconds a stopped process sleeps: longer than `claim_after`, so it comes back as a zombie."""

NODE_SLEEP = 5.0
"""The same for a node of a cluster: another one has taken over by then."""

SLEEPERS = ("fingerprint", "dedupe", "count", "sink", "redis-", "mongo-")
"""Workers, and nodes of which there are several."""


class Kills:
    """Strikes until it is told to stop; every kind of process gets its turn."""

    def __init__(
        self, system: ChaosSystem, random: Random, pause: tuple[float, float] = (0.3, 1.5)
    ) -> None:
        self.killed: Counter[str] = Counter()
        self.stopped: Counter[str] = Counter()
        self._system = system
        self._random = random
        self._pause = pause
        self._asleep: set[asyncio.Task[None]] = set()

    async def run(self, until: asyncio.Event) -> None:
        turn: list[str] = []
        while not until.is_set():
            await asyncio.sleep(self._random.uniform(*self._pause))
            if not turn:
                turn = sorted(self._system.pids())
                self._random.shuffle(turn)
            self._strike(turn.pop())
        await asyncio.gather(*self._asleep)

    def _strike(self, name: str) -> None:
        if name.startswith(SLEEPERS) and self._random.random() < 0.5:
            self.sleep(name)
        elif self._system.send(name, signal.SIGKILL):
            self.killed[name.rpartition("-")[0] or name] += 1

    def sleep(self, name: str) -> None:
        """Stop the process, and wake it up after a while, in the background."""
        pid = self._system.pids().get(name)
        if pid is not None and self._system.send(name, signal.SIGSTOP):
            self.stopped[name.rpartition("-")[0]] += 1
            task = asyncio.create_task(self._wake(name))
            self._asleep.add(task)
            task.add_done_callback(self._asleep.discard)

    async def _wake(self, name: str) -> None:
        await asyncio.sleep(NODE_SLEEP if name.startswith(SLEEPERS[-2:]) else SLEEP)
        self._system.send(name, signal.SIGCONT)
