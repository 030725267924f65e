"""`make soak MINUTES=n`: steady load and random faults; prints what must stay flat, as a table.

Ends with 1 when a count is not exact at the end, or something has grown.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random

from catchwater.local.servers import MongoServer, RedisServer
from tests.chaos.kills import Kills
from tests.chaos.load import Load
from tests.chaos.verdict import judge
from tests.network.link import Link
from tests.soak.figures import Row, grown, measured, table
from tests.soak.system import SoakSystem
from tests.soak.weather import Weather
from tests.waiting import wait_until

LOOKS = 24
ROUND_S = 5.0


class Soak:
    def __init__(self, folder: Path, running: ExitStack, random: Random, rate: int) -> None:
        redis, mongo = RedisServer(folder / "redis"), MongoServer(folder / "mongo")
        for server in (redis, mongo):
            server.start()
            running.callback(server.stop)
        links = [running.enter_context(Link(server.port, random)) for server in (redis, mongo)]
        self._redis_url = redis.url
        self.system = SoakSystem(
            folder,
            f"redis://127.0.0.1:{links[0].port}/0",
            f"mongodb://127.0.0.1:{links[1].port}/?directConnection=true",
        )
        running.enter_context(self.system)
        self.load = Load(self.system.ports["ingest"], self.system.key, int(rate * ROUND_S), random)
        self.kills = Kills(self.system, random, pause=(4, 15))
        self.weather = Weather(links, [redis, mongo], random)
        self.rows: list[Row] = []

    async def run(self, minutes: float) -> None:
        started, over = time.monotonic(), asyncio.Event()
        trouble = [asyncio.create_task(one.run(over)) for one in (self.kills, self.weather)]
        while (elapsed := time.monotonic() - started) < minutes * 60:
            if len(self.rows) <= elapsed / (minutes * 60) * LOOKS:
                self._look(elapsed / 60)
            await asyncio.gather(self.load.run(), asyncio.sleep(ROUND_S))
        over.set()
        await asyncio.gather(*trouble)
        self._look(minutes)

    def _look(self, minute: float) -> None:
        accepted = len(self.load.ledger.accepted)
        self.rows.append(measured(self.system, self._redis_url, minute, accepted))
        print(table(self.rows[-1:]).splitlines()[-1], flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=int, default=100, help="events a second")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.rate} events a second, {options.minutes:g} minutes")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        soak = Soak(Path(folder), running, Random(options.seed), options.rate)
        asyncio.run(soak.run(options.minutes))
        wait_until(soak.system.drained, "everything that was accepted is counted", timeout=300)
        verdict = wait_until(lambda: judge(soak.system, soak.load.ledger), "the verdict", 60)
    print(table(soak.rows))
    print(f"killed {dict(soak.kills.killed)}, put to sleep {dict(soak.kills.stopped)}")
    print(f"struck {dict(soak.weather.struck)}")
    print(f"{len(soak.load.ledger.accepted)} accepted; exact: {verdict.exact}; {verdict.audit}")
    print(f"grown: {grown(soak.rows) or 'nothing'}")
    return 0 if verdict.exact and not grown(soak.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
