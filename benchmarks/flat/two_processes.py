"""What a second fingerprint process is worth, on two cores that have nothing else to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from benchmarks.flat.filled import event
from benchmarks.flat.services import ready
from benchmarks.in_process import add
from benchmarks.report import Figure
from catchwater.config.streamdefs import StreamDefs, load
from catchwater.redis_client import Connection
from catchwater.streams import keys
from catchwater.streams.consumer import prepare
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def scaling_figures(redis_url: str, entries: int = 40_000, runs: int = 3) -> list[Figure]:
    """Entries a second of two processes against one, with the entries in Redis beforehand; what
    Redis takes of a core meanwhile; and what two processes that only compute reach. Empties Redis.
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
        _signal(pids, signal.SIGSTOP)
        try:
            add(connection, defs, (event(number % ISSUES) for number in range(entries)))
            cpu, began = _cpu(connection), time.perf_counter()
        finally:
            _signal(pids, signal.SIGCONT)
        wait_until(lambda: _done(connection, defs) >= entries, "all are done", timeout=LONGEST_S)
        took = time.perf_counter() - began
        return entries / took, (_cpu(connection) - cpu) / took


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, number)


def _cpu(connection: Connection) -> float:
    found = connection.info("cpu")
    return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])


def _done(connection: Connection, defs: StreamDefs) -> int:
    found = connection.calls([("HGET", keys.ledger(tag), f"{STAGE}:done") for tag in defs.tags])
    return sum(int(one or 0) for one in found)


def _computed(processes: int) -> float:
    """Rounds a second of so many processes that touch nothing but a core."""
    running = [
        subprocess.Popen([sys.executable, "-c", SPIN], stdout=subprocess.PIPE)
        for _ in range(processes)
    ]
    return sum(float(one.communicate()[0]) for one in running)
