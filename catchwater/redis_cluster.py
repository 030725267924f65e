"""Commands to the masters of a Redis Cluster, each to the one that has its slot: one round trip a
node, to all nodes at once.

redis-py's own client knows which node has which slot. Its pipeline is not used: after a lost reply
it sends a command again, and an event would be there twice. Only a redirection (MOVED, ASK) is
followed, as what is redirected was not done.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import redis
import redis.asyncio.cluster
import redis.asyncio.retry
import redis.cluster
from redis.backoff import NoBackoff
from redis.retry import Retry

from catchwater.cluster_address import ClusterAddress
from catchwater.cluster_routes import UNANSWERED, Batch, Command, Job, jobs_of, least
from catchwater.redis_errors import ERRORS, unknown_topology
from catchwater.redis_node import settings
from catchwater.redis_topology import grouped, masters, node_name, routed
from catchwater.redis_trips import CUT, exchange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROUNDS = 5
"""How often a command is sent at most, while nodes say that another one has its slot."""

RESTS = 5
"""How many times as long as it was waited for a node is left alone, where that is wanted."""

_ELSEWHERE = (*CUT, redis.exceptions.ClusterDownError, redis.exceptions.ReadOnlyError)
"""After these another node may have the slots."""


class _Client(redis.cluster.RedisCluster):
    def command(self, **_: Any) -> dict[str, dict[str, Any]]:
        """What redis-py asks some node for at first, which may be the one that is away. Where keys
        are in commands is known here.
        """
        return {}


class ClusterNodes:
    """The nodes of a cluster, for one thread."""

    one_node = False

    def __init__(self, url: str, timeout_s: float, patience_s: float | None = None) -> None:
        """With `patience_s`, a node that does not answer within it is not asked for RESTS as long:
        each time it would hold up what is asked of the others.
        """
        self._at = ClusterAddress.parse(url)
        self._settings = settings(url, timeout_s) | {"socket_timeout": patience_s or timeout_s}
        _check(self._at, self._settings)
        self._rest_s = RESTS * patience_s if patience_s else 0.0
        self._rests_until: dict[str, float] = {}
        self._known: Any = None
        self._failed = ""
        """The node after whose failure the topology is to be asked for again."""

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """Their replies in order, with an exception of redis-py in the place of each error.

        A WAIT, which comes last, goes to each node that got something; its reply is the least.
        """
        jobs, waits = jobs_of(commands)
        waiting: list[Job] = []
        left = jobs
        for _ in range(ROUNDS):
            batches = self._batches(left)
            waiting += [batch.append(wait) for batch in batches.values() for wait in waits]
            self._exchange(batches)
            if not (left := [job for job in left if job.is_open]):
                break
        return [job.result() for job in jobs] + [least(waiting) for _ in waits]

    def each(self, command: Command, keys: Sequence[str] = ()) -> list[Any]:
        """The reply of each master, or its error; with `keys`, of those that have them."""
        batches = {node: Batch.of(command) for node in masters(self._topology(), keys)}
        self._exchange(batches)
        return [batch.jobs[0].result() for batch in batches.values()]

    def grouped(self, keys: Sequence[str]) -> list[list[str]]:
        """The keys by the master that has them, as the cluster says just now."""
        return grouped(keys, self._topology(anew=True))

    def one_more(self, key: str) -> Any:
        """A new connection of redis-py to the master that has the key."""
        (node,) = masters(self._topology(), [key])
        return _made(node.redis_connection.connection_pool)

    def node_of(self, key: str) -> str:
        """The name of the master that has the key, as far as is known; '' before any was asked."""
        return node_name(key, self._known) if self._known else ""

    def close(self) -> None:
        if self._known is not None:
            self._known.close()
            self._known = None

    def _topology(self, *, anew: bool = False) -> Any:
        """Which node has which slot; asked for when that may have changed, or `anew`."""
        try:
            if self._known is None:
                self._known = self._asked()
            elif self._failed or anew:
                self._known.initialize(last_failed_node_name=self._failed)
        except ERRORS as error:
            self.close()  # the next time, the nodes of the address are asked
            raise unknown_topology(error) from error
        self._failed = ""
        return self._known

    def _asked(self) -> Any:
        node: Any = redis.cluster.ClusterNode  # redis-py has no types for it
        client = _Client(
            url=self._at.url,
            startup_nodes=[node(*other) for other in self._at.others],
            retry=Retry(NoBackoff(), 0),
            require_full_coverage=False,
            **self._settings,
        )
        return client.nodes_manager

    def _batches(self, jobs: Sequence[Job]) -> dict[Any, Batch]:
        topology = self._topology()
        for job in jobs:
            if job.moved:
                topology.move_slot(job.moved)
        return routed(jobs, topology, redis.cluster.ClusterNode)

    def _exchange(self, batches: Mapping[Any, Batch]) -> None:
        """Send all before the first reply is read."""
        connections: dict[Any, Any] = {}
        try:
            for node, batch in batches.items():
                self._send(node, batch, connections)
            for node, connection in connections.items():
                self._receive(node, batches[node], connection)
        finally:
            for node, connection in connections.items():
                if not batches[node].is_answered:
                    connection.disconnect()
                node.redis_connection.connection_pool.release(connection)
            self._failed = _failed(batches) or self._failed

    def _send(self, node: Any, batch: Batch, connections: dict[Any, Any]) -> None:
        if node.redis_connection is None:  # a node that only a redirection has named so far
            self._known.create_redis_connections([node])
        if time.monotonic() < self._rests_until.get(node.name, 0.0):
            batch.fail(redis.TimeoutError("it has not answered lately"))
            return
        try:
            connections[node] = node.redis_connection.connection_pool.get_connection()
            connections[node].send_packed_command([batch.packed()])
        except CUT as error:
            self._cut(node, batch, error)

    def _receive(self, node: Any, batch: Batch, connection: Any) -> None:
        try:
            for job in batch.unanswered():
                job.reply = _reply(connection)
        except CUT as error:
            connection.disconnect()
            self._cut(node, batch, error)

    def _cut(self, node: Any, batch: Batch, error: redis.RedisError) -> None:
        batch.fail(error)
        if isinstance(error, redis.TimeoutError):
            self._rests_until[node.name] = time.monotonic() + self._rest_s


def _reply(connection: Any) -> Any:
    """The next reply. An error reply is returned, as more replies of the round trip follow."""
    try:
        return connection.read_response()
    except redis.ResponseError as error:
        return error


class AsyncClusterNodes:
    """The same for asyncio. Concurrent tasks use separate connections.

    The caller sets the time limit. A round trip that is broken off costs its connections.
    """

    one_node = False

    def __init__(self, url: str, timeout_s: float) -> None:
        self._at = ClusterAddress.parse(url)
        # Other nodes are asked for the topology before the caller's time is over.
        self._settings = settings(url, timeout_s) | {"socket_timeout": min(timeout_s, 2.0)}
        self._reply_s = timeout_s / 2
        """What other nodes have answered is not lost with a node that does not."""
        _check(self._at, self._settings)
        self._known: Any = None
        self._failed = ""
        self._learning = asyncio.Lock()

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """Their replies in order, with an exception of redis-py in the place of each error.

        A WAIT, which comes last, goes to each node that got something; its reply is the least.
        """
        jobs, waits = jobs_of(commands)
        waiting: list[Job] = []
        left = jobs
        for _ in range(ROUNDS):
            batches = await self._batches(left)
            waiting += [batch.append(wait) for batch in batches.values() for wait in waits]
            await self._exchange(batches)
            if not (left := [job for job in left if job.is_open]):
                break
        return [job.result() for job in jobs] + [least(waiting) for _ in waits]

    async def each(self, command: Command) -> dict[str, Any]:
        """The reply of each master, or its error, by its name."""
        batches = {node: Batch.of(command) for node in masters(await self._topology())}
        await self._exchange(batches)
        return {str(node.name): batch.jobs[0].result() for node, batch in batches.items()}

    def node_of(self, key: str) -> str:
        """The name of the master that has the key, as far as is known; '' before any was asked."""
        return node_name(key, self._known) if self._known else ""

    async def close(self) -> None:
        known, self._known = self._known, None
        if known is not None:
            await known.aclose()
            await known.aclose("startup_nodes")

    async def _topology(self) -> Any:
        async with self._learning:
            try:
                if self._known is None:
                    self._known = await self._asked()
                elif self._failed:
                    await self._known.initialize(last_failed_node_name=self._failed)
            except ERRORS as error:
                await self.close()  # the next time, the nodes of the address are asked
                raise unknown_topology(error) from error
            self._failed = ""
            return self._known

    async def _asked(self) -> Any:
        others = [redis.asyncio.cluster.ClusterNode(*other) for other in self._at.others]
        client = redis.asyncio.cluster.RedisCluster.from_url(
            self._at.url,
            startup_nodes=others,
            retry=redis.asyncio.retry.Retry(NoBackoff(), 0),
            require_full_coverage=False,
            **self._settings,
        )
        await client.nodes_manager.initialize()
        return client.nodes_manager

    async def _batches(self, jobs: Sequence[Job]) -> dict[Any, Batch]:
        topology = await self._topology()
        for job in jobs:
            if job.moved:
                await topology.move_slot(job.moved)
        make = partial(redis.asyncio.cluster.ClusterNode, **topology.connection_kwargs)
        return routed(jobs, topology, make)

    async def _exchange(self, batches: Mapping[Any, Batch]) -> None:
        connections: dict[Any, Any] = {}
        try:
            for node in batches:
                connections[node] = node.acquire_connection()
            pairs = [(connections[node], batch) for node, batch in batches.items()]
            await exchange(pairs, asyncio.get_running_loop().time() + self._reply_s)
        finally:
            for node, connection in connections.items():
                if not batches[node].is_answered:
                    await connection.disconnect(nowait=True)
                node.release(connection)
            self._failed = _failed(batches) or self._failed


def _check(at: ClusterAddress, given: Mapping[str, Any]) -> None:
    """Raises ValueError, TypeError or RedisError where no connection can do what is asked for."""
    _made(redis.Redis.from_url(at.url, **given).connection_pool)


def _made(pool: Any) -> Any:
    """One more connection, which does not connect yet. The pool itself makes 100 at most, those
    that are gone included.
    """
    return pool.connection_class(**pool.connection_kwargs)


def _failed(batches: Mapping[Any, Batch]) -> str:
    """The node after whose failure another may have its slots; '' where there is none.

    Each error says from now on where it comes from.
    """
    found = ""
    for node, batch in batches.items():
        batch.name_errors(node.name)
        if any(job.reply is UNANSWERED or isinstance(job.reply, _ELSEWHERE) for job in batch.jobs):
            found = node.name
    return found
