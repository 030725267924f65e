"""Connections to Redis, whose errors are translated into those of `catchwater.errors`.

Everything goes through here; only `redis_*` and `cluster_routes` import redis.

Nothing here retries by itself: a write whose reply was lost may have been done, and only
the caller knows whether doing it again is safe. redis-py would retry ten times by default. After a
lost XADD reply that adds a second entry; after a lost XREADGROUP reply the entries stay pending,
and the reader never sees them.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from catchwater.cluster_address import CLUSTER
from catchwater.errors import (
    CatchwaterError,
    NotReplicatedError,
    RefusedError,
    UnavailableError,
)
from catchwater.redaction import redacted_address
from catchwater.redis_arrivals import Arrivals
from catchwater.redis_cluster import AsyncClusterNodes, ClusterNodes
from catchwater.redis_errors import ERRORS, is_missing_script, translated
from catchwater.redis_node import AsyncOneNode, OneNode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")
R = TypeVar("R")
Command = tuple[Any, ...]
ScriptCall = tuple["Sequence[str]", "Sequence[Any]"]
"""The KEYS and the ARGV of one call of a script."""


WAIT_MS = 1000
"""How long replicas may take until they have what a script wrote, where somebody waits for them."""


class Connection:
    """A connection of one thread. A blocking reader has one of its own."""

    _nodes: ClusterNodes | OneNode

    def __init__(
        self, url: str, *, timeout_s: float = 5.0, patience_s: float | None = None
    ) -> None:
        """`timeout_s` is the time-out of the socket: more than twice any BLOCK, or reads fail.

        `patience_s` is for who asks all nodes of a cluster, and can do with some: see ClusterNodes.
        """
        self.url = url
        with _checked_address(url):
            if url.startswith(CLUSTER):
                self._nodes = ClusterNodes(url, timeout_s, patience_s)
            else:
                self._nodes = OneNode(url, timeout_s)
        self.one_node = self._nodes.one_node
        """Whether one command may name keys of several partitions."""
        self._scripts: dict[Path, str] = {}
        self._arrivals: Arrivals | None = None

    def call(self, *command: Any) -> Any:
        """One command.

        Raises UnavailableError, MissingGroupError, MissingEpochError or RefusedError.
        """
        return self.calls([command])[0]

    def calls(self, commands: Sequence[Command], replicas: int = 0) -> list[Any]:
        """Several commands in one round trip, not as a transaction. The first error is raised.

        With `replicas`, so many must have what they wrote, or NotReplicatedError is raised.
        """
        return _checked(self.attempts(commands, replicas))

    def attempts(self, commands: Sequence[Command], replicas: int = 0) -> list[Any]:
        """The same, with an error of ours in the place of each command that failed.

        Raises one where none was sent. On one node all commands fail with their connection.
        """
        if not replicas:
            return _ours(self._run(self._nodes.run, commands))
        wait = ("WAIT", replicas, WAIT_MS)
        *results, had = _ours(self._run(self._nodes.run, [*commands, wait]))
        if _checked([had])[0] < replicas:
            raise NotReplicatedError(f"{had} of {replicas} replicas have it after {WAIT_MS} ms")
        return results

    def each(self, *command: Any, of: Sequence[str] = ()) -> list[Any]:
        """The replies of all nodes that have data of their own: of the one, or of all masters; of
        those that have the keys `of`, where there are any.

        The first error is raised.
        """
        return _checked(self.each_attempt(*command, of=of))

    def each_attempt(self, *command: Any, of: Sequence[str] = ()) -> list[Any]:
        """The same, with an error of ours in the place of each reply that a node did not give."""
        return _ours(self._run(partial(self._nodes.each, keys=of), command))

    def node_of(self, key: str) -> str:
        """Names the node that has the key, as far as is known: '' where there is only one."""
        return self._nodes.node_of(key)

    def grouped(self, keys: Sequence[str]) -> list[list[str]]:
        """The keys, those of one node together, as the cluster says just now.

        Raises UnavailableError where no node says it.
        """
        return self._run(self._nodes.grouped, keys)

    def scripts(self, source: Path, calls: Sequence[ScriptCall], replicas: int = 0) -> list[Any]:
        """Run the Lua script in the file `source` once for each (keys, args), in one round trip.

        A script must be safe to call again: after an error some of the calls may have been done.
        `replicas` as in `calls`.
        """
        return _checked(self.script_attempts(source, calls, replicas))

    def script_attempts(
        self, source: Path, calls: Sequence[ScriptCall], replicas: int = 0
    ) -> list[Any]:
        """The same, with an error of ours in the place of each call that failed."""
        if not calls:
            return []
        sha = self._scripts.get(source) or self._load(source, calls)
        results = self._run_script(sha, calls, replicas)
        # Redis was restarted, another node has taken over, or somebody called SCRIPT FLUSH.
        if left := [i for i, one in enumerate(results) if is_missing_script(one)]:
            missed = [calls[i] for i in left]
            again = self._run_script(self._load(source, missed), missed, replicas)
            for i, result in zip(left, again, strict=True):
                results[i] = result
        if any(map(is_missing_script, results)):
            raise UnavailableError(f"Redis forgot {source.name} as soon as it had it")
        return results

    def infos(self, section: str = "default", of: Sequence[str] = ()) -> list[dict[str, str]]:
        """A section of INFO of each node with data of its own, as text by field; `of` as in
        `each`.
        """
        return [parse_info(reply) for reply in self.each("INFO", section, of=of)]

    def info(self, section: str = "default") -> dict[str, str]:
        """That of one node."""
        return self.infos(section)[0]

    def _load(self, source: Path, calls: Sequence[ScriptCall]) -> str:
        """Only the nodes that these calls go to are given it: another one may be away."""
        of = [keys[0] for keys, _ in calls]
        text = source.read_text(encoding="utf-8")
        replies = self.each_attempt("SCRIPT LOAD", text, of=of)
        # What a node did not take it says again when the script is called.
        taken = [reply for reply in replies if not isinstance(reply, CatchwaterError)]
        sha: str = _checked(taken or replies)[0]
        self._scripts[source] = sha
        return sha

    def _run_script(self, sha: str, calls: Sequence[ScriptCall], replicas: int) -> list[Any]:
        commands = [("EVALSHA", sha, len(keys), *keys, *args) for keys, args in calls]
        return self.attempts(commands, replicas)

    def _run(self, do: Callable[[T], list[R]], what: T) -> list[R]:
        try:
            return do(what)
        except ERRORS as error:
            raise translated(error) from error

    def arrivals(self, streams: Sequence[str]) -> Arrivals | None:
        """What tells of new entries in any of them; None where one command can wait for all."""
        if isinstance(self._nodes, ClusterNodes):
            self._arrivals = Arrivals(streams, self._nodes.one_more)
        return self._arrivals

    def close(self) -> None:
        self._nodes.close()
        if self._arrivals:
            self._arrivals.close()


class AsyncConnection:
    """The same for asyncio. Concurrent tasks use separate connections of a pool."""

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        self._timeout_s = timeout_s
        with _checked_address(url):
            kind = AsyncClusterNodes if url.startswith(CLUSTER) else AsyncOneNode
            self._nodes = kind(url, timeout_s)
        self.one_node = kind.one_node

    async def calls(self, commands: Sequence[Command]) -> list[Any]:
        """Several commands in one round trip, not as a transaction. The first error is raised."""
        return _checked(await self._in_time(self._nodes.run(commands)))

    async def attempts(self, commands: Sequence[Command]) -> list[Any]:
        """The same, with an error of ours in the place of each command that failed."""
        return _ours(await self._in_time(self._nodes.run(commands)))

    async def each(self, *command: Any) -> list[Any]:
        """The replies of all nodes that have data of their own. The first error is raised."""
        return _checked(list((await self.each_attempt(*command)).values()))

    async def each_attempt(self, *command: Any) -> dict[str, Any]:
        """The same by the name of the node, as of `node_of`, with an error of ours in the place of
        each reply that a node did not give.
        """
        found = await self._in_time(self._nodes.each(command))
        return dict(zip(found, _ours(list(found.values())), strict=True))

    def node_of(self, key: str) -> str:
        """Names the node that has the key, as far as is known: '' where there is only one."""
        return self._nodes.node_of(key)

    async def close(self) -> None:
        await self._nodes.close()

    async def script(self, text: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Run a Lua script. It must be safe to call again."""
        return (await self.calls([("EVAL", text, len(keys), *keys, *args)]))[0]

    async def _in_time(self, results: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await results
        except (*ERRORS, TimeoutError) as error:
            raise translated(error) from error


@contextmanager
def _checked_address(url: str) -> Iterator[None]:
    """Raises RefusedError for an address that redis-py cannot use, without its password."""
    try:
        yield
    except (ValueError, TypeError, *ERRORS) as error:
        shown = redacted_address(url).partition("?")[0]  # an option's name may be mistyped
        raise RefusedError(
            f"the Redis address {shown!r} cannot be used: write "
            "redis://host:port/0, rediss:// with TLS, unix:///path, "
            "redis+sentinel://s1:26379,s2:26379/name/0, or redis+cluster://n1:6379,n2:6379"
        ) from error


def as_mapping(flat: Sequence[Any]) -> dict[Any, Any]:
    """A flat reply `[name, value, name, value]` as a mapping."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def parse_info(reply: bytes) -> dict[str, str]:
    """The reply to INFO as text by field."""
    lines = reply.decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _ours(results: list[Any]) -> list[Any]:
    return [translated(one) if isinstance(one, Exception) else one for one in results]


def _checked(results: list[Any]) -> list[Any]:
    for result in results:
        if isinstance(result, CatchwaterError):
            raise result
        if isinstance(result, Exception):
            raise translated(result) from result
    return results
