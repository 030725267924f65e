"""Round trips to several nodes of a cluster at once: none waits for one that hangs, and is taken
for one that does.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import redis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.cluster_routes import Batch

CUT = (redis.ConnectionError, redis.TimeoutError)
"""A round trip broke off. What was sent may have been done."""


async def exchange(pairs: Sequence[tuple[Any, Batch]], deadline: float) -> None:
    """Send each batch over its connection, one of redis-py's for asyncio, and note the replies.

    What is not answered at the `deadline`, in seconds of the running loop, fails as by a time-out.
    """
    trips = [_trip(connection, batch, deadline) for connection, batch in pairs]
    if len(trips) == 1:  # nearly always: a task of its own would cost more than the rest
        await trips[0]
        return
    for done in await asyncio.gather(*trips, return_exceptions=True):
        if isinstance(done, BaseException):
            raise done


async def _trip(connection: Any, batch: Batch, deadline: float) -> None:
    try:
        async with asyncio.timeout_at(deadline):
            await _replies(connection, batch)
    except TimeoutError:
        await connection.disconnect(nowait=True)
        batch.fail(redis.TimeoutError("no answer in time"))
    except CUT as error:
        await connection.disconnect(nowait=True)
        batch.fail(error)


async def _replies(connection: Any, batch: Batch) -> None:
    if connection.should_reconnect():
        await connection.disconnect()
    await connection.send_packed_command([batch.packed()])
    for job in batch.unanswered():
        job.reply = await _reply(connection)


async def _reply(connection: Any) -> Any:
    try:
        # No time-out here: all replies together have one.
        return await connection.read_response(timeout=math.inf)
    except redis.ResponseError as error:
        return error
