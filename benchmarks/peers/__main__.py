"""`make bench-peers`: the same envelopes of Sentry's SDK for Catchwater, Bugsink and a pipeline by
FastStream, one after the other on this machine.

Each counts until nothing waits. Catchwater and FastStream write to the same kind of MongoDB and
Redis; Bugsink to SQLite, as it does by itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import click
import pymongo

from benchmarks.peers.bugsink import Bugsink
from benchmarks.stages import type_of
from benchmarks.whole import MeasuredUp, cpu_seconds, wait_for_port
from catchwater.errors import RefusedError
from catchwater.local.servers import MongoServer, RedisServer, free_port
from catchwater.redis_client import Connection
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECTIONS = 16
STALLED_S = 10.0
"""After which what is not counted never will be."""
APP = Path(__file__).with_name("faststream_app.py")


class Peer(NamedTuple):
    """A system at work: where it takes envelopes, what it has counted, and its processes."""

    url: str
    counted: Callable[[], int]
    pids: Callable[[], list[int]]


class Result(NamedTuple):
    name: str
    accepted: int
    counted: int
    accepting_s: float
    all_s: float
    cpu_s: float


def envelope(number: int) -> bytes:
    """One of 50 errors with eight frames."""
    name, event = type_of(number), uuid.uuid4().hex
    frames = [
        {
            "function": f"step{n}",
            "filename": "https://shop.example/app.js",
            "lineno": n,
            "colno": 17,
            "in_app": True,
        }
        for n in range(8)
    ]
    error = {"type": name, "value": f"{name} happened", "stacktrace": {"frames": frames}}
    body = {
        "event_id": event,
        "platform": "javascript",
        "timestamp": time.time(),
        "level": "error",
        "request": {"url": f"https://shop.example/orders/{number}"},
        "exception": {"values": [error]},
    }
    header = {"event_id": event, "sent_at": "2026-11-28T09:00:00Z"}
    lines = (header, {"type": "event"}, body)
    return "\n".join(map(json.dumps, lines)).encode()


async def _post(url: str, seconds: float) -> int:
    accepted, number = 0, 0
    ends = time.perf_counter() + seconds

    async def one(session: aiohttp.ClientSession) -> None:
        nonlocal accepted, number
        while time.perf_counter() < ends:
            number += 1
            async with session.post(url, data=envelope(number)) as answer:
                await answer.read()
                accepted += answer.status == 200

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
        for _ in range(CONNECTIONS):
            tasks.create_task(one(session))
    return accepted


def measure(name: str, peer: Peer, seconds: float) -> Result:
    before, counted = sum(map(cpu_seconds, peer.pids())), peer.counted()
    began = time.perf_counter()
    accepted = asyncio.run(_post(peer.url, seconds))
    accepting_s = time.perf_counter() - began
    found, changed = peer.counted() - counted, time.perf_counter()
    while found < accepted and time.perf_counter() < changed + STALLED_S:
        time.sleep(0.1)
        last, found = found, peer.counted() - counted
        changed = time.perf_counter() if found != last else changed
    spent = sum(map(cpu_seconds, peer.pids())) - before
    return Result(name, accepted, found, accepting_s, changed - began, spent)


def catchwater(folder: Path, running: ExitStack) -> Peer:
    up = running.enter_context(MeasuredUp(folder))
    ingest = up.report_url.partition("/e/")[0]
    url = f"{ingest}/api/{1}/envelope/?sentry_key={up.key}"
    return Peer(url, up.counted, lambda: list(up.pids().values()))


def faststream(folder: Path, running: ExitStack, python: Path) -> Peer:
    redis, mongo, port = RedisServer(folder / "redis"), MongoServer(folder / "mongo"), free_port()
    for server in (redis, mongo):
        server.start()
        running.callback(server.stop)
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongo.url)
    running.callback(client.close)
    processes = [
        subprocess.Popen([python, APP, role, redis.url, mongo.url, str(port)], cwd=folder)
        for role in ("count", "ingest")
    ]
    for one in processes:
        running.callback(one.wait)
        running.callback(one.terminate)
    wait_for_port(port)
    wait_until(lambda: _has_group(redis.url), "its consumer has begun")
    pids = [one.pid for one in processes] + [redis.pid, mongo.pid]
    url = f"http://127.0.0.1:{port}/api/1/envelope/"
    total = [{"$group": {"_id": None, "n": {"$sum": "$count"}}}]
    return Peer(
        url,
        lambda: next((one["n"] for one in client.peers.issues.aggregate(total)), 0),
        lambda: pids,
    )


def _has_group(redis_url: str) -> bool:
    """What is published before that, it never reads."""
    connection = Connection(redis_url)
    try:
        return bool(connection.call("XINFO", "GROUPS", "events"))
    except RefusedError:
        return False
    finally:
        connection.close()


def bugsink(folder: Path, running: ExitStack, python: Path) -> Peer:
    one = running.enter_context(Bugsink(folder, python))
    return Peer(one.url, one.counted, one.pids)


def shown(results: list[Result]) -> str:
    heads = ("accepted", "of it counted", "accepted a second", "counted a second, drained")
    lines = [" | ".join(["|", *heads, "CPU for 10,000 |"]), "|" + "---|" * 6]
    for one in results:
        share = 100 * one.counted / max(1, one.accepted)
        cpu = 10_000 * one.cpu_s / max(1, one.counted)
        lines.append(
            f"| {one.name} | {one.accepted:,} | {share:.1f} % | "
            f"{one.accepted / one.accepting_s:,.0f} | {one.counted / one.all_s:,.0f} | "
            f"{cpu:.1f} s |"
        )
    return "\n".join(lines)


@click.command()
@click.option("--seconds", default=10.0, show_default=True, help="How long each load lasts.")
@click.option(
    "--python",
    type=click.Path(path_type=Path, exists=True),
    default=Path(".venv/peers/bin/python"),
    show_default=True,
    help="Of an environment that has the peers.",
)
def main(seconds: float, python: Path) -> None:
    """Compare with the other systems, one after the other."""
    peers = {
        "Catchwater": catchwater,
        "FastStream": lambda folder, running: faststream(folder, running, python.absolute()),
        "Bugsink": lambda folder, running: bugsink(folder, running, python.absolute()),
    }
    results = []
    for name, start in peers.items():
        with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
            results.append(measure(name, start(Path(folder), running), seconds))
        print(f"{name} is done", file=sys.stderr)
    print(shown(results))


if __name__ == "__main__":
    os.umask(0o077)
    main()
