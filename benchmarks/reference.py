"""What the figures are compared to: the plainest programs that do a part of the same."""

from __future__ import annotations

import hashlib
import sys
import time
from typing import TYPE_CHECKING, Any

import orjson
import redis
import uvloop
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 500


Fields = dict[bytes, bytes]


def marked(fields: Fields) -> Fields:
    """The least that a stage could do: read the JSON, hash a field."""
    mark = hashlib.sha1(orjson.loads(fields[b"body"])["message"].encode()).hexdigest()
    return {**fields, b"mark": mark.encode()}


def plain_loop(url: str, entries: list[Fields], work: Callable[[Fields], Fields] = marked) -> float:
    """Entries a second of a redis-py loop: read, work, emit to a second stream, acknowledge,
    pipelined.
    """
    client: Any = redis.Redis.from_url(url)
    client.flushdb()
    client.xgroup_create("in", "g", id="0", mkstream=True)
    for start in range(0, len(entries), BATCH):
        pipe = client.pipeline(transaction=False)
        for fields in entries[start : start + BATCH]:
            pipe.xadd("in", fields)
        pipe.execute()
    started, done = time.perf_counter(), 0
    while done < len(entries):
        batch = client.xreadgroup("g", "c", {"in": ">"}, count=BATCH)[0][1]
        pipe = client.pipeline(transaction=False)
        for _, fields in batch:
            pipe.xadd("out", work(fields))
        pipe.xack("in", "g", *[identity for identity, _ in batch])
        pipe.execute()
        done += len(batch)
    seconds = time.perf_counter() - started
    client.flushdb()
    client.close()
    return len(entries) / seconds


async def _read_and_answer(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=204)


def serve(port: int) -> None:
    """An aiohttp server that reads the body and answers 204."""
    app = web.Application()
    app.router.add_post("/e/{key}", _read_and_answer)
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=lambda *_: None)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
