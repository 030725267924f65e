"""Connections to Redis, whose errors are translated into those of `catchwater.errors`.

The one module that imports redis.

Nothing here retries by itself: a write whose reply was lost may have been done, and only
the caller knows whether doing it again is safe. redis-py would retry ten times by default. After a
lost XADD reply that adds a second entry; after a lost XREADGROUP reply the entries stay pending,
and the reader never sees them.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import hiredis
import redis
import redis.asyncio
import redis.asyncio.sentinel
import redis.sentinel
from redis.backoff import NoBackoff
from redis.retry import Retry

from catchwater.errors import (
    CatchwaterError,
    MissingEpochError,
    MissingGroupError,
    RefusedError,
    UnavailableError,
)
from catchwater.redaction import redacted_address
from catchwater.sentinel_address import SENTINEL, SentinelAddress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

C = TypeVar("C", redis.Redis, redis.asyncio.Redis)
Command = tuple[Any, ...]
ScriptCall = tuple["Sequence[str]", "Sequence[Any]"]
"""The KEYS and the ARGV of one call of a script."""


class _MissingScriptError(RefusedError):
    """Redis does not know the script: it was restarted, or its scripts were flushed."""


CLUSTER_MODE = (
    "this Redis runs in cluster mode, which is not supported yet: use a standalone Redis or Valkey"
)

_TRANSLATION: dict[type[BaseException] | str, type[CatchwaterError]] = {
    # These two are connection errors for redis-py, but no outage.
    redis.exceptions.AuthenticationError: RefusedError,
    redis.exceptions.AuthorizationError: RefusedError,
    TimeoutError: UnavailableError,
    redis.ConnectionError: UnavailableError,
    redis.TimeoutError: UnavailableError,
    redis.exceptions.OutOfMemoryError: UnavailableError,
    redis.exceptions.ReadOnlyError: UnavailableError,
    redis.exceptions.ClusterDownError: UnavailableError,
    redis.exceptions.TryAgainError: UnavailableError,
    redis.exceptions.MasterDownError: UnavailableError,
    redis.exceptions.BusyLoadingError: UnavailableError,
    "BUSY": UnavailableError,
    "CLUSTERDOWN": UnavailableError,
    "LOADING": UnavailableError,
    "MASTERDOWN": UnavailableError,
    "MISCONF": UnavailableError,
    "NOREPLICAS": UnavailableError,
    "OOM": UnavailableError,
    "READONLY": UnavailableError,
    "UNKILLABLE": UnavailableError,
    "NOSCRIPT": _MissingScriptError,
    redis.exceptions.NoScriptError: _MissingScriptError,
    "NOGROUP": MissingGroupError,
    "UNBLOCKED": MissingGroupError,  # the stream was deleted under a blocking read
    "NOEPOCH": MissingEpochError,  # from commit.lua
}
"""Our error for an exception of redis-py, or for the first word of an error reply.

redis-py cuts that word off the replies for which it has an exception. All else is a RefusedError.
"""


class Connection:
    """A connection of one thread. A blocking reader has one of its own."""

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        """`timeout_s` is the time-out of the socket: more than twice any BLOCK, or reads fail."""
        self.url = url
        with _checked_address(url):
            self._redis = _client(url, _settings(url, timeout_s))
        # Replies stay as Redis sends them: redis-py would turn some of them into other types.
        self._redis.response_callbacks.clear()
        self._scripts: dict[Path, str] = {}

    def call(self, *command: Any) -> Any:
        """One command.

        Raises UnavailableError, MissingGroupError, MissingEpochError or RefusedError.
        """
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

    def scripts(self, source: Path, calls: Sequence[ScriptCall]) -> list[Any]:
        """Run the Lua script in the file `source` once for each (keys, args), in one round trip.

        A script must be safe to call again: after an error some of the calls may have been done.
        """
        sha = self._scripts.get(source) or self._load(source)
        try:
            return self._run_script(sha, calls)
        except _MissingScriptError:  # Redis was restarted, or somebody called SCRIPT FLUSH
            sha = self._load(source)
        try:
            return self._run_script(sha, calls)
        except _MissingScriptError as error:
            raise UnavailableError(f"Redis forgot {source.name} as soon as it had it") from error

    def info(self, section: str = "default") -> dict[str, str]:
        """A section of INFO, as text by field."""
        return parse_info(self.call("INFO", section))

    def _load(self, source: Path) -> str:
        sha: str = self.call("SCRIPT LOAD", source.read_text(encoding="utf-8"))
        self._scripts[source] = sha
        return sha

    def _run_script(self, sha: str, calls: Sequence[ScriptCall]) -> list[Any]:
        return self.calls([("EVALSHA", sha, len(keys), *keys, *args) for keys, args in calls])

    def close(self) -> None:
        self._redis.close()


class AsyncConnection:
    """The same for asyncio. Concurrent tasks use separate connections of a pool."""

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        self._timeout_s = timeout_s
        with _checked_address(url):
            self._redis = _async_client(url, _settings(url, timeout_s, asynchronous=True))

    async def calls(self, commands: Sequence[Command]) -> list[Any]:
        """Several commands in one round trip, not as a transaction. The first error is raised.

        Written to the connection directly: redis-py's pipeline takes three times the processor time
        for each event.
        """
        try:
            async with asyncio.timeout(self._timeout_s), self._connection() as connection:
                await connection.send_packed_command(
                    [b"".join(map(hiredis.pack_command, commands))]
                )
                return _checked([await _reply(connection) for _ in commands])
        except (redis.RedisError, TimeoutError) as error:
            raise translated(error) from error

    async def close(self) -> None:
        await self._redis.aclose()

    async def script(self, text: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Run a Lua script. It must be safe to call again."""
        return (await self.calls([("EVAL", text, len(keys), *keys, *args)]))[0]

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[redis.asyncio.Connection]:
        """A connection of the pool.

        It is closed if a round trip was broken off: its late replies would reach the next user.
        """
        pool = self._redis.connection_pool
        connection = await pool.get_connection()  # type: ignore[no-untyped-call] # redis-py has no type for it
        try:
            yield connection
        except CatchwaterError:
            raise  # an error reply: every reply of the round trip has been read
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


def translated(error: BaseException) -> CatchwaterError:
    """The error as one of ours."""
    text = str(error)
    code = text.partition(" ")[0]
    matches = (
        ours
        for theirs, ours in _TRANSLATION.items()
        if (theirs == code if isinstance(theirs, str) else isinstance(error, theirs))
    )
    ours = next(matches, RefusedError)
    if isinstance(error, redis.exceptions.MovedError):
        return RefusedError(CLUSTER_MODE)
    if isinstance(error, redis.sentinel.MasterNotFoundError):
        return _no_master(text)
    if ours is UnavailableError:
        return UnavailableError(f"Redis is away: {text or type(error).__name__}")
    return ours(text)


def _no_master(text: str) -> CatchwaterError:
    """redis-py's own text has every setting in it, and each Sentinel's answer at its end."""
    if "AuthenticationError" in text:
        return RefusedError(
            "the Sentinels ask for a password: add ?sentinel_password=... to the Redis address"
        )
    name = text.partition(" : ")[0]
    return UnavailableError(f"Redis is away: {name}; each Sentinel was asked")


def _client(url: str, settings: dict[str, Any]) -> redis.Redis:
    if not url.startswith(SENTINEL):
        return _tried(redis.Redis.from_url(url, **settings))
    at = SentinelAddress.parse(url)
    sentinels: Any = redis.sentinel.Sentinel  # redis-py has no types for it
    watching = sentinels(
        at.sentinels, sentinel_kwargs=settings | at.sentinel_login, **settings, **at.login
    )
    client: redis.Redis = watching.master_for(at.name, db=at.db)
    return client


def _async_client(url: str, settings: dict[str, Any]) -> redis.asyncio.Redis:
    if not url.startswith(SENTINEL):
        return _tried(redis.asyncio.Redis.from_url(url, **settings))
    at = SentinelAddress.parse(url)
    sentinels: Any = redis.asyncio.sentinel.Sentinel
    watching = sentinels(
        at.sentinels, sentinel_kwargs=settings | at.sentinel_login, **settings, **at.login
    )
    client: redis.asyncio.Redis = watching.master_for(at.name, db=at.db)
    return client


def _tried(client: C) -> C:
    """What an address asks for and no connection can do shows now, and not at its first call."""
    pool = client.connection_pool
    pool.connection_class(**pool.connection_kwargs)  # it does not connect
    return client


@contextmanager
def _checked_address(url: str) -> Iterator[None]:
    """Raises RefusedError for an address that redis-py cannot use, without its password."""
    try:
        yield
    except (ValueError, TypeError, redis.RedisError) as error:
        shown = redacted_address(url).partition("?")[0]  # an option's name may be mistyped
        raise RefusedError(
            f"the Redis address {shown!r} cannot be used: write "
            "redis://host:port/0, rediss:// with TLS, unix:///path, or redis+sentinel://s1:26379,s2:26379/name/0"
        ) from error


def as_mapping(flat: Sequence[Any]) -> dict[Any, Any]:
    """A flat reply `[name, value, name, value]` as a mapping."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def parse_info(reply: bytes) -> dict[str, str]:
    """The reply to INFO as text by field."""
    lines = reply.decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _checked(results: list[Any]) -> list[Any]:
    for result in results:
        if isinstance(result, Exception):
            raise translated(result) from result
    return results


def _settings(url: str, timeout_s: float, *, asynchronous: bool = False) -> dict[str, Any]:
    retry = redis.asyncio.retry.Retry(NoBackoff(), 0) if asynchronous else Retry(NoBackoff(), 0)
    return {
        "socket_timeout": None if asynchronous else timeout_s,
        "socket_connect_timeout": min(timeout_s, 2.0),
        "retry": retry,
        "protocol": 2,
    } | ({} if url.startswith("unix:") else {"socket_keepalive": True})
