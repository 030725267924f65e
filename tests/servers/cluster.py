"""A real Redis Cluster: masters that share the slots, and a replica of each."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from catchwater.errors import CatchwaterError, ServerStartError
from catchwater.local.servers import RedisServer, free_port
from catchwater.redis_client import Connection, parse_info
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLOTS = 16_384
NODE_TIMEOUT_MS = 1500
PATIENT = ("--cluster-node-timeout", "30000")
"""Where nobody takes over for a master, nobody need find it away soon: a busy machine is slow."""

TRIES = 5


class Node(RedisServer):
    """Its bus gets a port of its own: by default it is 10,000 above, where the system finds ports
    for outgoing connections, and one of these had it once.
    """

    def __init__(self, data: Path, *options: str) -> None:
        super().__init__(data)
        self.bus = free_port()
        self.options = options

    def command(self) -> list[str]:
        cluster = ("--cluster-enabled", "yes", "--cluster-port", str(self.bus))
        timeout = ("--cluster-node-timeout", str(NODE_TIMEOUT_MS))
        fast = ("--repl-ping-replica-period", "1", "--repl-diskless-sync-delay", "0")
        stays = ("--cluster-allow-replica-migration", "no")
        return [*super().command(), *cluster, *timeout, *fast, *stays, *self.options]

    def program(self) -> Path:
        """Valkey of the wheel where CATCHWATER_CLUSTER_OF says so, else what is found."""
        packaged = (
            self._in_package() if os.environ.get("CATCHWATER_CLUSTER_OF") == "valkey" else None
        )
        return packaged or super().program()

    def start(self) -> None:
        """The first time on ports that nobody else took since they were found free."""
        for _ in range(0 if (self.data / "nodes.conf").exists() else TRIES):
            try:
                return super().start()
            except ServerStartError:
                self.port, self.bus = free_port(), free_port()
        return super().start()

    def answers(self) -> bool:
        """Whether it does itself, and not another one that took its port at the same moment."""
        if not super().answers():
            return False
        try:
            info = parse_info(self.call("INFO", "server"))
        except CatchwaterError:
            return False
        return info["process_id"] == str(self.pid)

    def call(self, *command: object) -> Any:
        return self.calls([command])[0]

    def calls(self, commands: list[tuple[object, ...]]) -> list[Any]:
        connection = Connection(self.url)
        try:
            return connection.calls(commands)
        finally:
            connection.close()

    @property
    def id(self) -> str:
        return str(self.call("CLUSTER MYID").decode())

    def is_linked(self) -> bool:
        """Whether this replica has its master's data."""
        info = self.call("INFO", "replication").decode()
        return "master_link_status:up" in info

    def agrees(self, nodes: int) -> bool:
        """Whether it knows so many nodes, and that the slots are taken."""
        info = self.call("CLUSTER INFO").decode()
        return "cluster_state:ok" in info and f"cluster_known_nodes:{nodes}" in info


class Cluster:
    def __init__(self, folder: Path, masters: int = 3, replicas: int = 3, *options: str) -> None:
        options = options if replicas else (*PATIENT, *options)
        self.masters = [Node(folder / f"master{i}", *options) for i in range(masters)]
        self.replicas = [Node(folder / f"replica{i}", *options) for i in range(replicas)]

    @property
    def nodes(self) -> list[Node]:
        return [*self.masters, *self.replicas]

    @property
    def url(self) -> str:
        places = ",".join(f"127.0.0.1:{node.port}" for node in self.masters)
        return f"redis+cluster://{places}"

    def join(self) -> None:
        for number, node in enumerate(self.masters):
            first, end = (SLOTS * n // len(self.masters) for n in (number, number + 1))
            node.call("CLUSTER ADDSLOTSRANGE", first, end - 1)
            node.call("CLUSTER SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            self.meet(node)
        for node in self.nodes:
            wait_until(lambda node=node: node.agrees(len(self.nodes)), "the nodes agree", 60)
        for master, replica in zip(self.masters, self.replicas, strict=False):
            replica.call("CLUSTER REPLICATE", master.id)
        for replica in self.replicas:
            wait_until(replica.is_linked, "each replica has its master's data", 60)

    def move(self, slot: int, to: Node) -> None:
        """As `redis-cli --cluster reshard` does it: key by key, then the slot."""
        with self.moving(slot, to):
            pass

    @contextmanager
    def moving(self, slot: int, to: Node, first: bytes = b"") -> Iterator[None]:
        """Inside, one key of the slot has moved, and the others have not."""
        source = self.master_of(slot)
        to.call("CLUSTER SETSLOT", slot, "IMPORTING", source.id)
        source.call("CLUSTER SETSLOT", slot, "MIGRATING", to.id)
        _migrate(source, to, [first] if first else source.call("CLUSTER GETKEYSINSLOT", slot, 1))
        yield
        while keys := source.call("CLUSTER GETKEYSINSLOT", slot, 3):
            _migrate(source, to, keys)
        for node in (to, source, *self.masters):
            node.call("CLUSTER SETSLOT", slot, "NODE", to.id)

    def master_of(self, slot: int) -> Node:
        """Who has the slot by now, of those that answer."""
        for node in self.nodes:
            if node.answers() and (port := _port_of(node.call("CLUSTER SLOTS"), slot)):
                return next(node for node in self.nodes if node.port == port)
        raise AssertionError(f"nobody has slot {slot}")

    def fail_over(self, slot: int, how: signal.Signals) -> None:
        """Kill or freeze the master of the slot; once another is promoted, it comes back."""
        old = self.master_of(slot)
        os.kill(old.pid, how)
        wait_until(lambda: self.master_of(slot) is not old, "another is promoted", 90)
        if how == signal.SIGSTOP:
            os.kill(old.pid, signal.SIGCONT)
        else:
            old.kill()
            old.start()
        wait_until(old.is_linked, "the old one is its replica", 90)

    @contextmanager
    def added(self, folder: Path) -> Iterator[Node]:
        """One more master, without slots."""
        node = Node(folder)
        node.start()
        try:
            self.masters.append(node)
            self.meet(node)
            for each in self.nodes:
                wait_until(lambda each=each: each.agrees(len(self.nodes)), "they agree", 60)
            yield node
        finally:
            node.stop()

    def move_empty(self, source: Node, to: Node) -> None:
        """All slots that have no keys."""
        ranges = self.masters[0].call("CLUSTER SLOTS")
        mine = [(first, last) for first, last, master, *_ in ranges if master[1] == source.port]
        slots = [slot for first, last in mine for slot in range(first, last + 1)]
        owner = to.id
        for node in (to, source):
            node.calls([("CLUSTER SETSLOT", slot, "NODE", owner) for slot in slots])

    def forget(self, gone: Node) -> None:
        self.masters.remove(gone)
        for node in self.nodes:
            node.call("CLUSTER FORGET", gone.id)

    def next_to(self, slot: int) -> Node:
        """A master that does not have the slot."""
        at = self.masters.index(self.master_of(slot))
        return self.masters[(at + 1) % len(self.masters)]

    def meet(self, node: Node) -> None:
        self.masters[0].call("CLUSTER MEET", "127.0.0.1", node.port, node.bus)


@contextmanager
def cluster(folder: Path, masters: int = 3, replicas: int = 3, *options: str) -> Iterator[Cluster]:
    with started(Cluster(folder, masters, replicas, *options)) as one:
        yield one


@contextmanager
def started(one: Cluster) -> Iterator[Cluster]:
    with ExitStack() as running:
        for node in one.nodes:
            node.start()
            running.callback(node.stop)
        one.join()
        yield one


def masters_of(url: str) -> list[str]:
    """The address of each node that the cluster began with, by itself; of one Redis, its own."""
    if not url.startswith("redis+cluster://"):
        return [url]
    return [f"redis://{place}/0" for place in url.removeprefix("redis+cluster://").split(",")]


def _migrate(source: Node, to: Node, keys: list[bytes]) -> None:
    if keys:
        source.call("MIGRATE", "127.0.0.1", to.port, "", 0, 5000, "KEYS", *keys)


def _port_of(ranges: list[Any], slot: int) -> int:
    found = (master[1] for first, last, master, *_ in ranges if first <= slot <= last)
    return int(next(found, 0))
