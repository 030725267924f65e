"""The chaos test must be able to fail: with the gate taken out, or with counters that are added
up, it does. And each commit of the run is one that tests/model would make, unless the gate is out.

Each mutation is a copy of the source with one line changed; the line must be there, or the test
fails.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from catchwater.config.streamdefs import load as load_defs
from catchwater.redis_client import Connection
from catchwater.streams import keys
from tests.chaos.load import Load
from tests.chaos.servers import ChosenServers
from tests.chaos.system import ChaosSystem
from tests.chaos.trace import Trace
from tests.chaos.verdict import judge
from tests.mutations.guards import Guard, guard_that_keeps, without
from tests.servers.chosen import chosen
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
PACKAGES = ("catchwater", "ingest", "stages", "sink", "dashboard")

NO_GATE = guard_that_keeps("an answer has its effect only for the one whose XACK returned 1")
ADDED_UP = Guard(
    "sink/writer.py",
    "numbers are written as they are",
    '"$max": update.highest,',
    """"$inc": {k: v for k, v in update.highest.items() if isinstance(v, int)},
             "$max": {k: v for k, v in update.highest.items() if not isinstance(v, int)},""",
    [],
)


def mutated(folder: Path, mutation: Guard | None) -> Path:
    """A copy of the source with that one change."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    servers = folder / "catchwater/local/servers.py"  # its log is read back: all of it
    servers.write_text(servers.read_text().replace('"256mb"', '"256gb"'))
    if mutation:
        file = folder / mutation.file
        file.write_text(without(mutation, file.read_text()))
    return folder


READ = 0.2
"""Seconds: longer than Redis waits to answer a read that began before the stop."""
LOOKS = 20
"""In less time than `claim_after`, after which another one takes it."""


class Sleeper:
    """A counting process that is stopped with a batch in its hands, until that batch has been
    taken from it.
    """

    def __init__(self, system: ChaosSystem, name: str) -> None:
        self.robbed = 0
        """How often it woke up with a batch that another had counted meanwhile."""
        self._system = system
        self._name = name
        defs = load_defs(system.streamdefs)
        self._streams = [keys.stream(tag, "unique") for tag in defs.tags]
        self._redis = Connection(system.ports["redis_url"])

    async def sleep_while(self, running: asyncio.Task[None]) -> None:
        while not running.done():
            self._system.send(self._name, signal.SIGSTOP)
            if await self._within(READ, lambda: self._holds() > 0) and await self._keeps():
                self.robbed += await self._within(30, lambda: self._holds() == 0)
            self._system.send(
                self._name, signal.SIGCONT
            )  # without a batch if it was stopped between two
            await asyncio.sleep(random.uniform(0, 0.1))

    async def _keeps(self) -> bool:
        """Whether what it holds is not just being acknowledged: what it sent before the stop has
        reached Redis long before it has answered so many looks, one after another.
        """
        for _ in range(LOOKS):
            await asyncio.sleep(0.02)
            if not self._holds():
                return False
        return True

    async def _within(self, seconds: float, condition: Callable[[], bool]) -> bool:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.02)
        return True

    def _holds(self) -> int:
        """Entries that it has read and not acknowledged."""
        asked = [
            ("XPENDING", stream, "count", "-", "+", 1000, self._name) for stream in self._streams
        ]
        return sum(len(found) for found in self._redis.calls(asked))


async def fight(load: Load, sleeper: Sleeper) -> None:
    """Whether a stop falls into a batch is chance, so the load goes on until one did."""
    while not sleeper.robbed:
        running = asyncio.create_task(load.run())
        await asyncio.gather(running, sleeper.sleep_while(running))


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("mutation", "exact"),
    [(None, True), (NO_GATE, False), (ADDED_UP, False)],
    ids=["as it is", "no gate", "$inc"],
)
def test_counts_are_exact_only_with_the_gate_and_absolute_counters(tmp_path, mutation, exact):
    (source := tmp_path / "source").mkdir()
    servers = ChosenServers(tmp_path / "servers", chosen(), settled=True)
    with ChaosSystem(tmp_path, mutated(source, mutation), servers) as system:
        load = Load(system.ports["ingest"], system.key, 6000, Random(1))
        sleeper = Sleeper(system, "count-1")
        asyncio.run(fight(load, sleeper))
        wait_until(system.drained, "everything that was accepted has reached its end", timeout=120)
        verdict = judge(system, load.ledger)
        trace = Trace()
        for log in system.redis_logs():
            trace.follow(log)
    assert verdict.exact is exact, verdict
    assert trace.commits > 50
    assert (trace.mistakes == []) is (mutation is not NO_GATE), trace.mistakes[:3]
