"""The load: events with known ids and known issues, posted as browsers would, again and again
until they are taken.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import aiohttp

ISSUES = [
    f"{greek}Error"
    for greek in (
        "Alpha",
        "Beta",
        "Gamma",
        "Delta",
        "Epsilon",
        "Zeta",
        "Eta",
        "Theta",
        "Iota",
        "Kappa",
        "Lambda",
        "Mu",
        "Nu",
        "Xi",
        "Omicron",
        "Pi",
        "Rho",
        "Sigma",
        "Tau",
        "Upsilon",
        "Phi",
        "Chi",
        "Psi",
        "Omega",
    )
]
CONCURRENT = 24
LEFT_OUT = 7


@dataclass
class Ledger:
    """What was answered with 2xx: the truth that the counts are compared with."""

    accepted: dict[str, str] = field(default_factory=dict)
    """Event id to issue."""
    posts: int = 0
    resent: int = 0
    failed: int = 0
    """Attempts that were not answered with 2xx; each was made again with the same ids."""

    @property
    def by_issue(self) -> Counter[str]:
        """Occurrences: what the accepted events stand for."""
        counts: Counter[str] = Counter()
        for identity, issue in self.accepted.items():
            counts[issue] += stands_for(int(identity, 16))
        return counts

    @property
    def left_out(self) -> int:
        """Errors that pages say they left out themselves."""
        return sum(LEFT_OUT for identity in self.accepted if tells_losses(int(identity, 16)))


def tells_losses(number: int) -> bool:
    """Whether the event of that number comes with a count of what its page left out; never with
    Sentry's SDK.
    """
    return number % 30 == 10


def losses(number: int) -> dict[str, object]:
    """That count, with an id of its own, the same whenever it is sent."""
    return {"id": f"{number + 2**64:032x}", "n": LEFT_OUT, "dropped": "cap"}


def stands_for(number: int) -> int:
    """Occurrences that the event of that number stands for; one where it may be sent as
    Sentry's SDK would.
    """
    return 1 if number % 3 == 0 else 1 + number % 5


def report(number: int, issue: str) -> dict[str, object]:
    """A report of the snippet."""
    name = issue.removesuffix("Error").lower()
    stack = (
        f"{issue}: it broke\n    at {name}Pay (https://shop.example/{name}.js:3:5)\n    at "
        f"{name}Click (https://shop.example/{name}.js:9:2)"
    )
    return {
        "id": f"{number:032x}",
        "n": stands_for(number),
        "type": issue,
        "message": "it broke",
        "stack": stack,
        "page": "https://shop.example/cart",
    }


def sentry_event(number: int, issue: str) -> bytes:
    """The same error as an envelope of Sentry's SDK."""
    name = issue.removesuffix("Error").lower()
    frames = [
        {
            "function": f"{name}Click",
            "filename": f"https://shop.example/{name}.js",
            "lineno": 9,
            "colno": 2,
            "in_app": True,
        },
        {
            "function": f"{name}Pay",
            "filename": f"https://shop.example/{name}.js",
            "lineno": 3,
            "colno": 5,
            "in_app": True,
        },
    ]
    event = {
        "exception": {
            "values": [{"type": issue, "value": "it broke", "stacktrace": {"frames": frames}}]
        }
    }
    return b'{"event_id":"%032x"}\n{"type":"event"}\n%s\n' % (number, json.dumps(event).encode())


class Load:
    """Posts `events` distinct events, a tenth of them twice."""

    def __init__(self, port: int, key: str, events: int, random: Random) -> None:
        self.ledger = Ledger()
        self._base = f"http://127.0.0.1:{port}"
        self._key = key
        self._events = events
        self._random = random
        self._runs = 0

    async def run(self) -> None:
        """Post everything; returns when each post was answered with 2xx.

        The next call posts as many other events.
        """
        queue: asyncio.Queue[list[tuple[int, str]]] = asyncio.Queue()
        first = self._runs * self._events
        for post in _posts(range(first, first + self._events), self._random):
            queue.put_nowait(post)
        self._runs += 1
        timeout = aiohttp.ClientTimeout(total=20)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            for _ in range(CONCURRENT):
                tasks.create_task(self._work(session, queue))

    async def _work(
        self, session: aiohttp.ClientSession, queue: asyncio.Queue[list[tuple[int, str]]]
    ) -> None:
        while not queue.empty():
            post = queue.get_nowait()
            while not await self._posted(session, post):
                self.ledger.failed += 1
                await asyncio.sleep(0.05)  # as a client backs off
            self.ledger.posts += 1
            for number, issue in post:
                identity = f"{number:032x}"
                self.ledger.resent += identity in self.ledger.accepted
                self.ledger.accepted[identity] = issue

    async def _posted(self, session: aiohttp.ClientSession, post: list[tuple[int, str]]) -> bool:
        number, issue = post[0]
        if len(post) == 1 and number % 3 == 0:
            url, body = (
                f"{self._base}/api/1/envelope/?sentry_key={self._key}",
                sentry_event(number, issue),
            )
        else:
            reports = [report(*one) for one in post] + [
                losses(number) for number, _ in post if tells_losses(number)
            ]
            url, body = (
                f"{self._base}/e/{self._key}",
                json.dumps(reports if len(reports) > 1 else reports[0]).encode(),
            )
        try:
            async with session.post(url, data=body) as answer:
                await answer.read()
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            return False


def _posts(numbers: range, random: Random) -> list[list[tuple[int, str]]]:
    """Single events and arrays of up to ten; a tenth of the events stands in a second post as
    well.
    """
    every = [(n, ISSUES[int(random.paretovariate(1)) % len(ISSUES)]) for n in numbers]
    again = random.sample(every, len(numbers) // 10)
    mixed = every + again
    random.shuffle(mixed)
    posts = []
    while mixed:
        size = random.choice([1, 1, 1, 2, 10])
        posts.append(mixed[:size])
        mixed = mixed[size:]
    return posts
