"""What a second fingerprint process is worth, on two cores that have nothing else to do."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack, closing

from benchmarks.flat.filled import event
from benchmarks.in_process import add
from benchmarks.pipelines import paused
from benchmarks.report import Figure
from benchmarks.services import ready
from benchmarks.stages import done
from catchwater.config.streamdefs import StreamDefs, load
from catchwater.redis_client import Connection
from catchwater.streams.consumer import prepare
from tests.waiting import wait_until

STAGE = "fingerprint"
ISSUES = 50
MARK = 1.7
LONGEST_S = 600.0

SPIN = """
import time
rounds, ends = 0, time.perf_counter() + 1
while time.perf_counter() < ends:
    sum(range(10_000))
    rounds += 1
print(rounds)
"""


def scaling_figures(redis_url: str, entries: int = 60_000, runs: int = 3) -> list[Figure]:
    """Entries a second of two processes against one, with the entries in Redis beforehand and
    after as many halves that gave the samples; what Redis takes of a core meanwhile; and what two
    processes that only compute reach. Empties Redis.
    """
    rates = Figure(f"two processes of {STAGE}, over one", "entries/s", [], [], MARK)
    redis = Figure("  Redis's CPU meanwhile", "% of a core", [], [], lower_is_better=True)
    free = Figure("  two that only compute, over one", "rounds/s", [], [])
    for _ in range(runs):
        for processes, found in ((1, "reference"), (2, "runs")):
            rate, cpu = _rate(redis_url, processes, entries)
            getattr(rates, found).append(rate)
            getattr(redis, found).append(100 * cpu)
            getattr(free, found).append(_computed(processes))
    return [rates, redis, free]


def _rate(redis_url: str, processes: int, entries: int) -> tuple[float, float]:
    """Entries a second, and cores that Redis took."""
    defs = load()
    with closing(Connection(redis_url)) as connection, ExitStack() as running:
        connection.call("FLUSHDB")
        prepare(connection, defs)
        settings = {"REDIS_URL": redis_url}
        pids = [running.enter_context(ready(settings, "stage", STAGE)) for _ in range(processes)]
        many = entries // 2  # each process takes samples of its own
        for waiting in (many, many + entries):
            with paused(pids):
                already = done(connection, defs.tags, STAGE)
                add(connection, defs, (event(n % ISSUES) for n in range(waiting - already)))
                cpu, began = _cpu(connection), time.perf_counter()
            _wait(connection, defs, waiting)
        took = time.perf_counter() - began
        return entries / took, (_cpu(connection) - cpu) / took


def _wait(connection: Connection, defs: StreamDefs, entries: int) -> None:
    wait_until(
        lambda: done(connection, defs.tags, STAGE) >= entries, "all are done", timeout=LONGEST_S
    )


def _cpu(connection: Connection) -> float:
    found = connection.info("cpu")
    return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])


def _computed(processes: int) -> float:
    """Rounds a second of so many processes that touch nothing but a core."""
    running = [
        subprocess.Popen([sys.executable, "-c", SPIN], stdout=subprocess.PIPE)
        for _ in range(processes)
    ]
    return sum(float(one.communicate()[0]) for one in running)
