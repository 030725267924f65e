"""What goes wrong in a soak besides killed and sleeping processes: servers die, links fail."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random

from catchwater.local.servers import Server
from tests.network.link import DOWN, UP, Link


class Weather:
    """Strikes one link or server at a time until it is told to stop."""

    def __init__(self, links: list[Link], servers: list[Server], random: Random) -> None:
        self.struck: Counter[str] = Counter()
        self._links = links
        self._servers = servers
        self._random = random

    async def run(self, until: asyncio.Event) -> None:
        while not until.is_set():
            await asyncio.sleep(self._random.uniform(3, 12))
            if self._random.random() < 0.3:
                await self._kill_server()
            else:
                await self._strike_link()

    async def _kill_server(self) -> None:
        server = self._random.choice(self._servers)
        self.struck[f"{server.title} killed"] += 1
        server.kill()
        await asyncio.sleep(self._random.uniform(0, 3))
        server.start()  # here: a server dies with the thread that started it

    async def _strike_link(self) -> None:
        link, (name, fault) = self._random.choice(self._links), self._fault()
        self.struck[f"link {name}"] += 1
        with fault(link):
            await asyncio.sleep(self._random.uniform(0.5, 6))

    def _fault(self) -> tuple[str, Callable[[Link], AbstractContextManager[None]]]:
        faults: dict[str, Callable[[Link], AbstractContextManager[None]]] = {
            "cut": Link.cut,
            "silent": lambda link: link.silent(UP, DOWN),
            "without answers": lambda link: link.silent(DOWN),
            "late": lambda link: link.late(UP, DOWN),
            "slow": lambda link: link.slow(100_000),
            "in pieces": Link.in_pieces,
            "in halves": lambda link: link.in_halves(0.1),
        }
        return self._random.choice(list(faults.items()))
