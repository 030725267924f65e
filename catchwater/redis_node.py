"""A Redis, or the master that Sentinels name: everything is on this one node."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import hiredis
import redis
import redis.asyncio
import redis.asyncio.retry
import redis.asyncio.sentinel
import redis.sentinel
from redis.backoff import NoBackoff
from redis.retry import Retry

from catchwater.sentinel_address import SENTINEL, SentinelAddress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

C = TypeVar("C", redis.Redis, redis.asyncio.Redis)
Command = tuple[Any, ...]


def settings(url: str, timeout_s: float) -> dict[str, Any]:
    """What all connections have in common."""
    return {"socket_connect_timeout": min(timeout_s, 2.0), "protocol": 2} | (
        {} if url.startswith("unix:") else {"socket_keepalive": True}
    )


class OneNode:
    """A Redis, or the master that Sentinels name."""

    one_node = True

    def __init__(self, url: str, timeout_s: float) -> None:
        retry = Retry(NoBackoff(), 0)
        more = {"socket_timeout": timeout_s, "retry": retry}
        self._redis = _client(url, settings(url, timeout_s) | more)
        # Replies stay as Redis sends them: redis-py would turn some of them into other types.
        self._redis.response_callbacks.clear()

    def run(self, commands: Sequence[Command]) -> list[Any]:
        pipe: Any = self._redis.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        results: list[Any] = pipe.execute(raise_on_error=False)
        return results

    def each(self, command: Command, keys: Sequence[str] = ()) -> list[Any]:  # noqa: ARG002 - it has all keys
        return self.run([command])

    def grouped(self, keys: Sequence[str]) -> list[list[str]]:
        return [list(keys)]

    def node_of(self, _key: str) -> str:
        return ""

    def close(self) -> None:
        self._redis.close()


class AsyncOneNode:
    one_node = True

    def __init__(self, url: str, timeout_s: float) -> None:
        retry = redis.asyncio.retry.Retry(NoBackoff(), 0)
        more = {"socket_timeout": None, "retry": retry}
        self._redis = _async_client(url, settings(url, timeout_s) | more)

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """Written to the connection directly: redis-py's pipeline takes three times the processor
        time for each event.
        """
        async with self._connection() as connection:
            await connection.send_packed_command([b"".join(map(hiredis.pack_command, commands))])
            return [await _reply(connection) for _ in commands]

    async def each(self, command: Command) -> dict[str, Any]:
        return {"": (await self.run([command]))[0]}

    def node_of(self, _key: str) -> str:
        return ""

    async def close(self) -> None:
        await self._redis.aclose()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[redis.asyncio.Connection]:
        """A connection of the pool.

        It is closed if a round trip was broken off: its late replies would reach the next user.
        """
        pool = self._redis.connection_pool
        connection = await pool.get_connection()  # type: ignore[no-untyped-call] # redis-py has no type for it
        try:
            yield connection
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        finally:
            await pool.release(connection)


async def _reply(connection: redis.asyncio.Connection) -> Any:
    """The next reply. An error reply is returned, as more replies of the round trip follow."""
    try:
        # No time-out here: the whole round trip has one.
        return await connection.read_response(timeout=math.inf)
    except redis.ResponseError as error:
        return error


def _client(url: str, given: dict[str, Any]) -> redis.Redis:
    if not url.startswith(SENTINEL):
        return _tried(redis.Redis.from_url(url, **given))
    at = SentinelAddress.parse(url)
    sentinels: Any = redis.sentinel.Sentinel  # redis-py has no types for it
    watching = sentinels(
        at.sentinels, sentinel_kwargs=given | at.sentinel_login, **given, **at.login
    )
    client: redis.Redis = watching.master_for(at.name, db=at.db)
    return client


def _async_client(url: str, given: dict[str, Any]) -> redis.asyncio.Redis:
    if not url.startswith(SENTINEL):
        return _tried(redis.asyncio.Redis.from_url(url, **given))
    at = SentinelAddress.parse(url)
    sentinels: Any = redis.asyncio.sentinel.Sentinel
    watching = sentinels(
        at.sentinels, sentinel_kwargs=given | at.sentinel_login, **given, **at.login
    )
    client: redis.asyncio.Redis = watching.master_for(at.name, db=at.db)
    return client


def _tried(client: C) -> C:
    """What an address asks for and no connection can do shows now, and not at its first call."""
    pool = client.connection_pool
    pool.connection_class(**pool.connection_kwargs)  # it does not connect
    return client
