"""What a request's head takes is counted for as long as the request is not answered."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from catchwater import http_server
from catchwater.http_server import KEEPALIVE_SECONDS, Runner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SMALL = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LARGE = b"GET / HTTP/1.1\r\nHost: a\r\nCookie: %s\r\n\r\n" % (b"x" * 30_000)
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"400\r\n%s\r\n" % (b"x" * 1024) * 1000 + b"0\r\n\r\n"
REQUESTS = {
    "small": SMALL,
    "a large head": LARGE,
    "a body": POST % (3000, b"x" * 3000),
    "a large body": POST % (3_000_000, b"x" * 3_000_000),
    "a body in chunks": CHUNKED + CHUNKS,
    "several at once": 100 * SMALL,
    "several large ones at once": 20 * LARGE,
}


async def answer(request: web.Request) -> web.Response:
    while part := await request.content.readany():
        await asyncio.sleep(len(part) / 1e9)  # others run: a body comes faster than it is read
    return web.Response()


def served(
    test: Callable[[Runner, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> None:
    async def run() -> None:
        app = web.Application()
        app.router.add_route("*", "/", answer)
        runner = Runner(app, {}, lambda: None, auto_decompress=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        reader, writer = await asyncio.open_connection(*runner.addresses[0][:2])
        try:
            await test(runner, reader, writer)
        finally:
            writer.close()
            await runner.cleanup()

    asyncio.run(asyncio.wait_for(run(), 60))


@pytest.mark.parametrize("request_bytes", REQUESTS.values(), ids=REQUESTS)
def test_nothing_is_counted_of_what_is_answered(request_bytes):
    async def test(
        runner: Runner, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        for _ in range(5):
            writer.write(request_bytes)
            for _ in range(max(1, request_bytes.count(b"GET "))):
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200")
        writer.write(SMALL)  # the count is brought up to date after an answer was written
        await reader.readuntil(b"\r\n\r\n")
        while runner.head_bytes:
            await asyncio.sleep(0.01)

    served(test)


def test_the_beginning_of_a_next_head_is_counted():
    async def test(
        runner: Runner, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(SMALL + LARGE[:-4])
        await reader.readuntil(b"\r\n\r\n")
        while not runner.head_bytes > 30_000:
            await asyncio.sleep(0.01)
        writer.close()
        while runner.head_bytes:
            await asyncio.sleep(0.01)

    served(test)


@pytest.mark.parametrize(
    ("requests", "runs", "unread", "seconds", "late"),
    [
        (0, False, False, 16, True),
        (0, False, False, 14, False),
        (1, False, False, 60, False),
        (1, True, False, 60, False),
        (1, False, True, KEEPALIVE_SECONDS - 1, False),
        (1, False, True, KEEPALIVE_SECONDS + 1, True),
    ],
)
def test_who_says_nothing_or_reads_nothing_is_late(requests, runs, unread, seconds, late):
    now = time.monotonic()
    state = http_server._State(requests, runs, unread, now - seconds)
    assert http_server._is_late(state, now, 15.0) is late
