"""Runs of many seeds, on one real Redis for each processor."""

from __future__ import annotations

import logging
import os
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import structlog

from catchwater.config.streamdefs import load
from catchwater.local.servers import RedisServer
from catchwater.redis_client import Connection
from tests.simulation.growing import GROWING, GrowingWorld
from tests.simulation.servers import Wire
from tests.simulation.world import PIPELINE, Verdict, World

AT_ONCE = 100
"""Runs between two looks at whether one was wrong."""


class Simulation:
    """Runs seeds on one real Redis, which it empties before each."""

    def __init__(self, redis_url: str, folder: Path, *, grows: bool = False) -> None:
        self._redis = Connection(redis_url)
        self._redis.call("CONFIG SET", "appendonly", "no")  # nothing here outlives it
        self._wire = Wire(self._redis)
        path = folder / "streamdefs.yaml"
        path.write_text(GROWING if grows else PIPELINE)
        self._world = GrowingWorld if grows else World
        self._defs = load(path)
        self.seen: Counter[str] = Counter()

    def run(self, seed: int) -> Verdict:
        with tempfile.TemporaryDirectory(dir=_in_memory()) as folder:
            verdict = self._world(seed, self._redis, self._wire, self._defs, Path(folder)).run()
        self.seen.update(verdict.seen)
        return verdict

    def wrong(self, seed: int) -> str:
        """What is wrong with that run; '' when its counts are exact."""
        try:
            verdict = self.run(seed)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
        return "" if verdict.exact else f"seed {seed}: {verdict}"

    def close(self) -> None:
        self._redis.call("FLUSHALL")
        self._wire.close()
        self._redis.close()


def _in_memory() -> str | None:
    """Spools are made and thrown away by the thousand: no disk is needed for that."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def run_seeds(seeds: range, *, grows: bool) -> tuple[str, Counter[str]]:
    """Runs these on a Redis of its own. Returns what was wrong first, and how often each fault
    struck.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder) / "redis", unix_socket=Path(folder) / "socket")
        server.start()
        simulation = Simulation(server.url, Path(folder), grows=grows)
        try:
            wrong = next((found for seed in seeds if (found := simulation.wrong(seed))), "")
            return wrong, simulation.seen
        finally:
            simulation.close()
            server.stop()


def run_everywhere(seeds: range, *, grows: bool = False) -> tuple[str, Counter[str]]:
    """The same on all processors."""
    shares = [seeds[at : at + AT_ONCE] for at in range(0, len(seeds), AT_ONCE)]
    seen = Counter[str]()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for wrong, faults in pool.map(partial(run_seeds, grows=grows), shares):
            seen.update(faults)
            if wrong:
                pool.shutdown(cancel_futures=True)
                return wrong, seen
    return "", seen
