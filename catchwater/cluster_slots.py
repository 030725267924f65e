"""Which node of a Redis Cluster has which slots, as the cluster itself says."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from catchwater.cluster_address import ClusterAddress
from catchwater.errors import UnavailableError
from catchwater.redis_client import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator


class Range(NamedTuple):
    """Slots from `first` to `last`, and who has them: the master, then its replicas."""

    first: int
    last: int
    nodes: list[tuple[str, int]]


def slot_ranges(connection: Connection) -> list[Range]:
    """What the cluster says of its slots. Raises UnavailableError."""
    return [
        Range(first, last, [(host.decode(), port) for host, port, *_ in nodes])
        for first, last, *nodes in connection.call("CLUSTER SLOTS")
    ]


@contextmanager
def one_node(url: str, host: str, port: int) -> Iterator[Connection]:
    """A connection to one node of the cluster at `url`."""
    connection = Connection(ClusterAddress.parse(url).node(host, port))
    try:
        yield connection
    finally:
        connection.close()


def every_key(connection: Connection, pattern: str) -> Iterator[str]:
    """Every key that fits, of one node or of all masters of a cluster.

    Raises UnavailableError where slots of a cluster moved meanwhile: keys may be missing.
    """
    if connection.one_node:
        yield from _keys_of(connection, pattern)
        return
    masters = _settled_masters(connection)
    for host, port in masters:
        with one_node(connection.url, host, port) as node:
            yield from _keys_of(node, pattern)
    if _settled_masters(connection) != masters:
        raise UnavailableError(_MOVED)


_MOVED = "slots of the cluster move: once they have moved, run it again"

_AT_ONCE = 1000


def _keys_of(node: Connection, pattern: str) -> Iterator[str]:
    cursor = b"0"
    while True:
        cursor, names = node.call("SCAN", cursor, "MATCH", pattern, "COUNT", _AT_ONCE)
        yield from (name.decode() for name in names)
        if cursor == b"0":
            return


def _settled_masters(connection: Connection) -> dict[tuple[str, int], list[tuple[int, int]]]:
    """The masters and their slots. Raises UnavailableError while one of these moves."""
    if any(b" [" in reply for reply in connection.each("CLUSTER NODES")):
        raise UnavailableError(_MOVED)
    found: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for one in slot_ranges(connection):
        found.setdefault(one.nodes[0], []).append((one.first, one.last))
    return found
