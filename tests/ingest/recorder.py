"""A producer that tests look into, and events for it."""

from __future__ import annotations

import asyncio

from catchwater.event import Event


def events(*numbers):
    return [Event(f"{n:032x}", "1", 1, "snippet", b"{}") for n in numbers]


def big_events(count, size=50_000):
    body = b'"' + b"x" * size + b'"'
    return [Event(f"{n:032x}", "1", 1, "snippet", body) for n in range(count)]


class Recorder:
    """A producer that notes what is added together.

    `error` is raised after the adding: as when a reply is lost, or a replica is missing.
    """

    def __init__(self):
        self.flushes = []
        self.error = None
        self.history = ""
        self.replicated = True
        self.hang = asyncio.Event()
        self.hang.set()

    async def add(self, events):
        await self.hang.wait()
        self.flushes.append([event.id for event in events])
        await asyncio.sleep(0)
        if self.error:
            raise self.error

    def node_of(self, event):
        return ""

    async def takes(self, event):
        return True

    async def histories(self):
        return {"": self.history} if self.history else {}

    async def replicated_since(self, histories):
        return self.replicated and histories == {"": self.history}

    @property
    def added(self):
        return [identity for flush in self.flushes for identity in flush]
