"""The whole of Catchwater, as `catchwater up` runs it: events a second to MongoDB, CPU seconds, memory."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

from benchmarks import load, reference
from benchmarks.report import Figure
from catchwater import pipeline
from catchwater.connection import Connection
from catchwater.embedded import free_port
from catchwater.streamdefs import load as load_defs

TICKS = os.sysconf("SC_CLK_TCK")


class Up:
    """`catchwater up` on a folder, while this lasts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        ports = [part for name in ("ingest", "dashboard", "demo") for part in (f"--{name}-port", "0")]
        command = [sys.executable, "-m", "catchwater.cli", "up", "--data", str(self.folder), *ports]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self.process.stdout
        for line in self.process.stdout:
            if b"Ctrl-C ends it" in line:
                break
        self.ports: dict[str, Any] = json.loads((self.folder / "run/ports.json").read_text())
        key = (self.folder / "projects.yaml").read_text().partition("key: ")[2].split()[0].strip("'\"")
        self.url = f"http://127.0.0.1:{self.ports['ingest']}/e/{key}"
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=90)

    def pids(self) -> dict[str, int]:
        """All but the demo page's."""
        files = [file for file in (self.folder / "run").glob("*.pid") if file.stem != "demo-1"]
        return {file.stem.rpartition("-")[0] or file.stem: int(file.read_text()) for file in files} | {
            "up": self.process.pid
        }

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far."""
        return {name: _cpu(pid) for name, pid in self.pids().items()}

    def counted(self) -> int:
        """Events that the issues in MongoDB count, as the dashboard's API says."""
        with urlopen(f"http://127.0.0.1:{self.ports['dashboard']}/api/issues", timeout=10) as answer:
            return sum(issue["count"] for issue in json.load(answer)["issues"])

    def memory(self) -> dict[str, float]:
        """Proportional set size in MB: shared pages count by their share."""
        return {name: _pss(pid) for name, pid in self.pids().items()}


def whole_figures(folder: Path, seconds: float) -> list[Figure]:
    with Up(folder) as up:
        load.run(up.url, 1.0)  # everything has run once
        _drain(up)
        idle, before, counted, started = up.memory(), up.cpu(), up.counted(), time.perf_counter()
        accepted, _ = load.run(up.url, seconds)
        _drain(up)
        took, after, full, counted = time.perf_counter() - started, up.cpu(), up.memory(), up.counted() - counted
    figures = [
        Figure("whole: POST to MongoDB, drain included", "events/s", [accepted / took], mark=2000),
        # Some of the last posts were answered when nobody listened any more, so there may be a few more.
        Figure("  counted in MongoDB, of what was answered", "%", [100 * counted / accepted], mark=100),
    ]
    per = 10_000 / accepted
    used = {name: (after[name] - before[name]) * per for name in after}
    figures += [Figure(f"  CPU of {name}", "ms/10k", [1000 * value]) for name, value in used.items()]
    figures.append(Figure("  CPU in all", "ms/10k", [1000 * sum(used.values())]))
    for moment, memory in (("idle", idle), ("after load", full)):
        figures += [Figure(f"  memory of {name}, {moment}", "MB", [memory[name]]) for name in memory]
        total = sum(memory.values())
        figures.append(Figure(f"  memory in all, {moment}", "MB", [total], mark=600, lower_is_better=True))
    return figures


def ingest_figure(redis_url: str, folder: Path, seconds: float, runs: int) -> Figure:
    """Accepted posts a second of one ingest process, against a server that reads the body and answers 204."""
    figure = Figure("ingest: accepted posts of one process", "posts/s", [], mark=0.5)
    key, port, plain = "0" * 31 + "a", free_port(), free_port()
    (folder / "projects.yaml").write_text(f'projects: [{{id: "1", name: bench, key: "{key}"}}]\n')
    settings = {"INGEST_PORT": str(port), "REDIS_URL": redis_url, "PROJECTS": str(folder / "projects.yaml")}
    settings |= {"SPOOL": str(folder / "spool"), "LOG_LEVEL": "ERROR"}
    environment = os.environ | {f"CATCHWATER_{name}": value for name, value in settings.items()}
    servers = [
        subprocess.Popen([sys.executable, "-m", "catchwater.cli", "ingest"], env=environment),
        subprocess.Popen([sys.executable, reference.__file__, str(plain)]),
    ]
    try:
        for _ in range(runs):
            for target, found in ((plain, figure.reference), (port, figure.runs)):
                _wait(target)
                accepted, took = load.run(f"http://127.0.0.1:{target}/e/{key}", seconds)
                found.append(accepted / took)
    finally:
        for server in servers:
            server.terminate()
            server.wait()
    return figure


def _wait(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


def _drain(up: Up) -> None:
    connection, defs = Connection(up.ports["redis_url"]), load_defs()
    while any(stage.depth for stage in pipeline.take(connection, defs).stages):
        time.sleep(0.05)
    connection.close()


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
