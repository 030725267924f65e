"""The one module that imports redis: connections, and what can go wrong with them, in our words.

Nothing here retries by itself: a write whose reply was lost may have been done (streams.md, traps 35 and 36),
and only the caller knows whether doing it again is safe.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hiredis
import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

Command = tuple[Any, ...]

_AWAY = (
    TimeoutError,
    redis.ConnectionError,
    redis.TimeoutError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.TryAgainError,
    redis.exceptions.MasterDownError,
    redis.exceptions.BusyLoadingError,
)
_AWAY_CODES = ("MISCONF", "NOREPLICAS", "LOADING", "CLUSTERDOWN", "OOM", "READONLY", "MASTERDOWN", "UNKILLABLE", "BUSY")


class Unavailable(Exception):  # noqa: N818 - a state to wait out, not a mistake
    """A server is away or refuses for now: keep what you have, and try again later."""


class NoGroup(Exception):  # noqa: N818 - Redis's own word
    """The stream or its group is gone (FLUSHALL, a failover to an empty server): make it again, at 0."""


class NoLife(Exception):  # noqa: N818 - as above
    """The partition has no life: Redis lost its data. Name a new life before counting on."""


class Refused(Exception):  # noqa: N818 - Redis's answer, as it came
    """Redis refused a command for another reason. Its text is in the message."""


class Connection:
    """A connection of one thread. A blocking reader has one of its own."""

    def __init__(self, url: str, *, patience: float = 5.0) -> None:
        """`patience` is the socket timeout in seconds: longer than twice any BLOCK, or reads are cut."""
        self.url = url
        self._redis = redis.Redis.from_url(url, **_settings(patience))
        self._redis.response_callbacks.clear()  # replies stay as Redis sends them: one meaning, no surprises
        self._scripts: dict[str, str] = {}

    def call(self, *command: Any) -> Any:
        """One command. Raises Unavailable, NoGroup, NoLife or Refused."""
        return self.calls([command])[0]

    def calls(self, commands: Sequence[Command]) -> list[Any]:
        """Several commands in one round trip, not as a transaction. The first error is raised."""
        try:
            pipe: Any = self._redis.pipeline(transaction=False)
            for command in commands:
                pipe.execute_command(*command)
            return _checked(pipe.execute(raise_on_error=False))
        except redis.RedisError as error:
            raise translated(error) from error

    def scripts(self, name: str, calls: Sequence[tuple[Sequence[str], Sequence[Any]]]) -> list[Any]:
        """`name`.lua once for each (keys, args), in one round trip. Scripts must be safe to call again."""
        for load in (name not in self._scripts, True):
            if load:
                self._scripts[name] = self.call("SCRIPT LOAD", _source(name))
            try:
                sha = self._scripts[name]
                return self.calls([("EVALSHA", sha, len(keys), *keys, *args) for keys, args in calls])
            except _NoScript:
                continue
        raise Refused(f"Redis forgets {name}.lua as soon as it has it: is something calling SCRIPT FLUSH?")

    def close(self) -> None:
        self._redis.close()


class AsyncConnection:
    """The same for an asyncio program. Commands of concurrent tasks use connections of their own."""

    def __init__(self, url: str, *, patience: float = 5.0) -> None:
        self._patience = patience
        self._redis = redis.asyncio.Redis.from_url(url, **_settings(patience, asynchronous=True))

    async def calls(self, commands: Sequence[Command]) -> list[Any]:
        """Several commands in one round trip, not as a transaction. The first error is raised.

        Written to the connection itself: redis-py's pipeline costs three times the processor time for each event.
        """
        try:
            async with asyncio.timeout(self._patience), self._connection() as connection:
                await connection.send_packed_command([b"".join(map(hiredis.pack_command, commands))])
                return _checked([await _reply(connection) for _ in commands])
        except (redis.RedisError, TimeoutError) as error:
            raise translated(error) from error

    async def close(self) -> None:
        await self._redis.aclose()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[redis.asyncio.Connection]:
        """A connection of the pool. One that was left in the middle is closed: its replies would be another's."""
        pool = self._redis.connection_pool
        connection = await pool.get_connection()  # type: ignore[no-untyped-call] # redis-py has no type for it
        try:
            yield connection
        except (Unavailable, NoGroup, NoLife, Refused):
            raise  # said by Redis itself, and each reply has been read
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        finally:
            await pool.release(connection)


async def _reply(connection: redis.asyncio.Connection) -> Any:
    """The next reply, an error as a value: those after it belong to the same round trip."""
    try:
        return await connection.read_response(timeout=math.inf)  # the whole round trip has a time-out
    except redis.ResponseError as error:
        return error


class _NoScript(Exception):  # noqa: N818 - never leaves this module
    """Redis does not know the script: it was restarted."""


def translated(error: BaseException) -> Exception:
    """What went wrong, in our words."""
    text = str(error)
    code = text.partition(" ")[0]
    if isinstance(error, _AWAY) or code in _AWAY_CODES:
        return Unavailable(f"Redis is away: {text or type(error).__name__}")
    if isinstance(error, redis.exceptions.NoScriptError):
        return _NoScript(text)
    known: dict[str, Callable[[str], Exception]] = {
        "NOGROUP": NoGroup,
        "UNBLOCKED": NoGroup,  # the stream was deleted under a blocking read
        "NOLIFE": NoLife,
        "NOSCRIPT": _NoScript,
    }
    return known.get(code, Refused)(text)


def pairs(flat: Sequence[Any]) -> dict[Any, Any]:
    """A flat reply `[name, value, name, value]` as a mapping."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _checked(results: list[Any]) -> list[Any]:
    for result in results:
        if isinstance(result, Exception):
            raise translated(result) from result
    return results


def _settings(patience: float, *, asynchronous: bool = False) -> dict[str, Any]:
    retry = redis.asyncio.retry.Retry(NoBackoff(), 0) if asynchronous else Retry(NoBackoff(), 0)
    return {
        "socket_timeout": None if asynchronous else patience,
        "socket_connect_timeout": min(patience, 2.0),
        "socket_keepalive": True,
        "retry": retry,
        "protocol": 2,
    }


def _source(name: str) -> str:
    return (Path(__file__).parent / f"{name}.lua").read_text(encoding="utf-8")
