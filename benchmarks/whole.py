"""The whole of Catchwater, as `catchwater up` runs it: events a second to MongoDB, CPU seconds,
memory.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import load, reference
from benchmarks.report import Figure
from catchwater.config.streamdefs import load as load_defs
from catchwater.local.servers import free_port
from catchwater.monitoring import snapshot
from catchwater.redis_client import Connection
from tests.up_process import UpProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

TICKS = os.sysconf("SC_CLK_TCK")


class MeasuredUp(UpProcess):
    """`catchwater up`, and what its processes use."""

    def __init__(self, folder: Path, *options: str) -> None:
        super().__init__(folder, "--no-demo", *options)

    def pids(self) -> dict[str, int]:
        """By kind."""
        assert self.process
        running = {name.rpartition("-")[0] or name: pid for name, pid in super().pids().items()}
        return running | {"up": self.process.pid}

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far."""
        return {name: cpu_seconds(pid) for name, pid in self.pids().items()}

    def memory(self) -> dict[str, float]:
        """Proportional set size in MB: shared pages count by their share."""
        return {name: _pss(pid) for name, pid in self.pids().items()}


def whole_figures(folder: Path, seconds: float, *options: str) -> list[Figure]:
    """Of `catchwater up` with these options."""
    with MeasuredUp(folder, *options) as up:
        load.run(up.report_url, 1.0)  # everything has run once
        _drain(up)
        idle, before, counted, started = up.memory(), up.cpu(), up.counted(), time.perf_counter()
        accepted, _ = load.run(up.report_url, seconds)
        _drain(up)
        took, after, full, counted = (
            time.perf_counter() - started,
            up.cpu(),
            up.memory(),
            up.counted() - counted,
        )
    figures = [
        Figure(_title(options), "events/s", [accepted / took], mark=2000),
        # Some of the last posts were answered when nobody listened any more, so there may be a few
        # more.
        Figure(
            "  counted in MongoDB, of what was answered", "%", [100 * counted / accepted], mark=100
        ),
    ]
    per = 10_000 / accepted
    used = {name: (after[name] - before[name]) * per for name in after}
    figures += [
        Figure(f"  CPU of {name}", "ms/10k", [1000 * value]) for name, value in used.items()
    ]
    figures.append(Figure("  CPU in all", "ms/10k", [1000 * sum(used.values())]))
    for moment, memory in (("idle", idle), ("after load", full)):
        figures += [
            Figure(f"  memory of {name}, {moment}", "MB", [memory[name]]) for name in memory
        ]
        total = sum(memory.values())
        figures.append(
            Figure(f"  memory in all, {moment}", "MB", [total], mark=600, lower_is_better=True)
        )
    return figures


def _title(options: Sequence[str]) -> str:
    return " ".join(["whole:", *options, "POST to MongoDB, drained"])


def ingest_figure(redis_url: str, folder: Path, seconds: float, runs: int) -> Figure:
    """Accepted posts a second of one ingest process, against a server that reads the body and
    answers 204.
    """
    figure = Figure("ingest: accepted posts of one process", "posts/s", [], mark=0.5)
    key, port, plain = "0" * 31 + "a", free_port(), free_port()
    (folder / "projects.yaml").write_text(f'projects: [{{id: "1", name: bench, key: "{key}"}}]\n')
    settings = {
        "INGEST_PORT": str(port),
        "REDIS_URL": redis_url,
        "PROJECTS": str(folder / "projects.yaml"),
    }
    settings |= {"SPOOL": str(folder / "spool"), "LOG_LEVEL": "ERROR"}
    environment = os.environ | {f"CATCHWATER_{name}": value for name, value in settings.items()}
    servers = [
        subprocess.Popen(
            [sys.executable, "-m", "catchwater.commands.cli", "ingest"], env=environment
        ),
        subprocess.Popen([sys.executable, reference.__file__, str(plain)]),
    ]
    try:
        for _ in range(runs):
            for target, found in ((plain, figure.reference), (port, figure.runs)):
                wait_for_port(target)
                accepted, took = load.run(f"http://127.0.0.1:{target}/e/{key}", seconds)
                found.append(accepted / took)
    finally:
        for server in servers:
            server.terminate()
            server.wait()
    return figure


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


def _drain(up: MeasuredUp) -> None:
    connection, defs = Connection(up.ports["redis_url"]), load_defs()
    while any(stage.depth for stage in snapshot.take(connection, defs).stages):
        time.sleep(0.05)
    connection.close()


def cpu_seconds(pid: int) -> float:
    """Its own, and that of its children which have ended: Redis rewrites its log in one."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
