"""While one post is read, others are let in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ingest.envelope import parse
from ingest.reports import Post, Sender
from ingest.server import IngestHandlers


@pytest.mark.parametrize(("items", "size", "most"), [(100, 60_000, 2), (10, 600_000, 1)])
def test_after_so_many_bytes_of_events_it_is_somebody_else_s_turn(items, size, most):
    """200 events of 65 kB were read in one go: 0.7 s without an answer to anybody."""
    asyncio.run(read(items, size, most))


async def read(items: int, size: int, most: int) -> None:
    event = b'{"type":"event"}\n{"message":"%s"}\n' % (b"x" * size)
    turns = [0]

    async def somebody_else() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(somebody_else())
    handlers: Any = object.__new__(IngestHandlers)
    sender = Sender("1", "", "", "", 1_000_000)
    await handlers._read_items(Post(), sender, parse(b"{}\n" + event * items))
    other.cancel()
    assert turns[0] >= items // most
