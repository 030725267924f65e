"""What one would write with FastStream: an HTTP server publishes to a stream of Redis, and a
consumer group counts in MongoDB. Runs in the peers' environment, so nothing of ours is imported.

It is not exact: an event that is read and not counted when the consumer dies is never read again,
and one whose acknowledgement is lost is counted twice.

`python faststream_app.py ingest|count REDIS_URL MONGO_URL PORT`
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections import Counter
from typing import Any

from aiohttp import web
from faststream import FastStream
from faststream.redis import RedisBroker, StreamSub
from pymongo import AsyncMongoClient, UpdateOne

ROLE, REDIS_URL, MONGO_URL, PORT = sys.argv[1:]
broker = RedisBroker(REDIS_URL, logger=None)


async def envelope(request: web.Request) -> web.Response:
    _, _, event = (await request.read()).split(b"\n", 2)
    await broker.publish(json.loads(event), stream="events")
    return web.json_response({})


async def serve() -> None:
    await broker.connect()
    app = web.Application()
    app.add_routes([web.post("/api/1/envelope/", envelope)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(PORT)).start()
    await asyncio.Event().wait()


def key(event: dict[str, Any]) -> str:
    error = event["exception"]["values"][0]
    frames = [frame["function"] for frame in error["stacktrace"]["frames"]]
    return hashlib.sha1(json.dumps([error["type"], frames]).encode()).hexdigest()


def counting() -> FastStream:
    issues = AsyncMongoClient[dict[str, Any]](MONGO_URL).peers.issues
    stream = StreamSub("events", group="count", consumer="one", batch=True, max_records=500)

    @broker.subscriber(stream=stream)
    async def count(events: list[dict[str, Any]]) -> None:
        counts = Counter(map(key, events))
        await issues.bulk_write(
            [
                UpdateOne({"_id": issue}, {"$inc": {"count": n}}, upsert=True)
                for issue, n in counts.items()
            ],
            ordered=False,
        )

    return FastStream(broker)


if __name__ == "__main__":
    asyncio.run(serve() if ROLE == "ingest" else counting().run())
