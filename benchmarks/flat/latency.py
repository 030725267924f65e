"""How long a post waits for its answer, at half the rate that ingest takes at most.

Posts are due at fixed moments, and a post's time is from then: one that has to wait for the answer
before it on its connection is late, too.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from statistics import quantiles
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import uvloop

from benchmarks import load
from benchmarks.report import Figure
from benchmarks.services import ingest, plain_server
from benchmarks.stages import report

if TYPE_CHECKING:
    from pathlib import Path

MARK_MS = 15
CONNECTIONS = 48


def latency_figures(
    redis_url: str, folder: Path, seconds: float = 5.0, runs: int = 3
) -> list[Figure]:
    """99 of 100 posts to ingest are answered within this, at half its maximum; and those to a
    server that reads the body and answers 204, at the same rate.
    """
    with ingest({"REDIS_URL": redis_url}, folder) as ours, plain_server() as plain:
        found = [_run(ours, plain, seconds) for _ in range(runs)]
    rates, own, bare = map(list, zip(*found, strict=True))
    name = "ingest: 99 of 100 posts, at half its maximum"
    return [
        Figure("ingest: half its maximum", "posts/s", rates),
        Figure(name, "ms", own, mark=MARK_MS, lower_is_better=True),
        Figure("  a server that answers 204, at the same rate", "ms", bare, lower_is_better=True),
    ]


def _run(ours: str, plain: str, seconds: float) -> tuple[float, float, float]:
    """Half of the maximum as it is just now: other programs may take more of the machine later."""
    accepted, took = load.run(ours, seconds)
    rate = accepted / took / 2
    return rate, _p99(ours, rate, seconds), _p99(plain, rate, seconds)


def _p99(url: str, rate: float, seconds: float) -> float:
    """In milliseconds, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.flat.latency", url, str(rate), str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout))


async def latencies(url: str, rate: float, seconds: float) -> list[float]:
    """Milliseconds of each post."""
    found: list[float] = []
    began = time.perf_counter() + 0.1
    async with asyncio.TaskGroup() as tasks:
        for number in range(CONNECTIONS):
            due = [
                began + post / rate for post in range(number, round(rate * seconds), CONNECTIONS)
            ]
            tasks.create_task(_posts(url, due, found))
    return found


async def _posts(url: str, due: list[float], found: list[float]) -> None:
    """Over one connection, each when it is due, or as soon as the one before is answered."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    for number, moment in enumerate(due):
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        writer.write(_request(address.path, number))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 204 " not in head.partition(b"\r\n")[0]:
            raise RuntimeError(f"{url} answered {head[:80]!r}")
        found.append(1000 * (time.perf_counter() - moment))
    writer.close()


def _request(path: str, number: int) -> bytes:
    body = json.dumps(report(number)).encode()
    return b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (
        path.encode(),
        len(body),
        body,
    )


if __name__ == "__main__":
    measured = uvloop.run(latencies(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
    print(json.dumps(quantiles(measured, n=100)[98]))
