"""Connections that say nothing."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web


async def close_idle_connections(runner: web.AppRunner, seconds: float) -> None:
    """Close connections that have not finished their first request's headers in time: they only
    hold a place.
    """
    since: dict[object, float] = {}
    while True:
        now = time.monotonic()
        silent = [
            one
            for one in (runner.server.connections if runner.server else ())
            if not _has_asked(one)
        ]
        since = {one: since.get(one, now) for one in silent}
        for one in silent:
            if now - since[one] > seconds:
                one.force_close()
        await asyncio.sleep(min(1.0, seconds / 3))


def _has_asked(connection: web.RequestHandler) -> bool:
    return connection._request_count > 0  # noqa: SLF001 - aiohttp has no time-out for headers
