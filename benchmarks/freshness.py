"""How long an error takes from its post to where it can be read, while others come in, and the
memory that everything has then.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
import uuid
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp
from pymongo import AsyncMongoClient

from benchmarks.report import Figure
from benchmarks.stages import report
from benchmarks.whole import MeasuredUp

if TYPE_CHECKING:
    from pathlib import Path

RATE = 1_000
"""Events a second that come in meanwhile, ten to a post."""

EVERY_S = 0.2
LOOK_S = 0.005


def freshness_figures(folder: Path, seconds: float, *options: str) -> list[Figure]:
    """Milliseconds of marked errors, MB of everything after them, and seconds of the start until
    the first one can be read.
    """
    started = time.perf_counter()
    with MeasuredUp(folder, *options) as up:
        first = asyncio.run(_marked(up.report_url, up.ports["mongo_url"], 1, 0))
        start_s = time.perf_counter() - started
        count = round(seconds / EVERY_S)
        found = sorted(asyncio.run(_marked(up.report_url, up.ports["mongo_url"], count, RATE)))
        memory = sum(up.memory().values())
    assert first
    name = " ".join(["fresh:", *options, f"{RATE:,}/s, POST to readable"])
    median, late = (1000 * found[at] for at in (len(found) // 2, -1 - len(found) // 100))
    figures = [
        Figure(f"{name}, median", "ms", [median]),
        Figure(f"{name}, 99 of 100", "ms", [late], mark=300),
        Figure("  memory of everything meanwhile", "MB", [memory]),
        Figure("start: until the first error can be read", "s", [start_s], mark=3),
    ]
    return [replace(one, lower_is_better=True) for one in figures]


async def _marked(url: str, mongo_url: str, count: int, rate: int) -> list[float]:
    """Seconds of each of `count` marked errors."""
    async with aiohttp.ClientSession() as session, AsyncMongoClient[Any](mongo_url) as client:
        others = asyncio.create_task(send_others(session, url, rate))
        try:
            marked = []
            for _ in range(count):
                marked.append(asyncio.create_task(_one(session, url, client.catchwater.samples)))
                await asyncio.sleep(EVERY_S)
            return list(await asyncio.gather(*marked))
        finally:
            others.cancel()
            with suppress(asyncio.CancelledError):
                await others


async def _one(session: aiohttp.ClientSession, url: str, samples: Any) -> float:
    """An issue of its own, whose first event is a sample."""
    event = uuid.uuid4().hex
    started = time.perf_counter()
    body = json.dumps(report(0) | {"id": event, "type": f"Marked{event[:8]}"})
    async with session.post(url, data=body) as answer:
        assert answer.status < 300, answer.status
    while await samples.find_one({"_id": event}, {"_id": 1}) is None:  # noqa: ASYNC110 - a server's
        await asyncio.sleep(LOOK_S)  # MongoDB tells nobody by itself
    return time.perf_counter() - started


async def send_others(
    session: aiohttp.ClientSession, url: str, rate: int, seconds: float = math.inf
) -> int:
    """`rate` errors a second, ten to a post, for so long. How many were accepted."""
    sent = accepted = 0
    begun = time.perf_counter()
    while rate and time.perf_counter() < begun + seconds:
        body = json.dumps([report(sent + more) for more in range(10)])
        async with session.post(url, data=body) as answer:
            await answer.read()
            accepted += 10 if answer.status < 300 else 0
        sent += 10
        await asyncio.sleep(max(0.0, begun + sent / rate - time.perf_counter()))
    return accepted
