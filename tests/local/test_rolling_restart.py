"""Ingest is restarted under load: nobody is refused, and no connection is reset."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from tests.up_process import UpProcess
from tests.waiting import wait_until

RESTARTS = 5


class Load:
    """Posts until it is stopped; each post is sent once, and its outcome is noted."""

    def __init__(self, url: str) -> None:
        self.outcomes: Counter[str] = Counter()
        self.stopped = asyncio.Event()
        self._url = url
        self._number = 0

    async def run(self, connections: int, *, keep_alive: bool) -> None:
        connector = aiohttp.TCPConnector(force_close=not keep_alive, limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*[self._client(session) for _ in range(connections)])

    async def _client(self, session: aiohttp.ClientSession) -> None:
        while not self.stopped.is_set():
            self._number += 1
            report = {"id": f"{self._number:032x}", "type": "Error", "message": "x"}
            try:
                async with session.post(self._url, json=report) as answer:
                    self.outcomes[str(answer.status)] += 1
            except aiohttp.ClientError as error:
                self.outcomes[repr(error)] += 1
            await asyncio.sleep(0.02)


async def restart_under_load(up: UpProcess) -> Counter[str]:
    load = Load(up.report_url)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load.run(5, keep_alive=True))
        tasks.create_task(load.run(5, keep_alive=False))
        for turn in range(RESTARTS):
            name = f"ingest-{1 + turn % 2}"
            old = up.pids()[name]
            os.kill(old, signal.SIGTERM)
            await asyncio.to_thread(
                wait_until,
                lambda name=name, old=old: up.pids()[name] != old and up.ready(name),
                f"{name} is back",
                60,
            )
        load.stopped.set()
    return load.outcomes


@pytest.mark.chaos
def test_a_rolling_restart_breaks_no_connection(tmp_path: Path) -> None:
    """Each restart reset a few connections: those in the backlog, and those that were idle."""
    with UpProcess(tmp_path, "--scale", "ingest=2") as up:
        outcomes = asyncio.run(restart_under_load(up))
        posted = sum(outcomes.values())
        assert outcomes == {"204": posted}
        assert posted > 200
        wait_until(lambda: up.counted() == posted, "each is counted", 60)


@pytest.mark.chaos
def test_the_only_ingest_is_restarted_and_posts_wait_for_it(tmp_path: Path) -> None:
    with UpProcess(tmp_path) as up:
        old = up.pids()["ingest-1"]
        os.kill(old, signal.SIGKILL)
        assert up.post({"id": "1" * 32, "type": "Error", "message": "x"}) == 204
        assert up.pids()["ingest-1"] != old
