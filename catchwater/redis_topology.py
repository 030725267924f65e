"""Which node of a cluster gets what, by the topology that redis-py's own client keeps. Pure.

A topology may be the one of its clients for threads, or of those for asyncio.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import redis
import redis.cluster

from catchwater.cluster_routes import Batch, Job, slot_of, slot_of_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def routed(jobs: Iterable[Job], topology: Any, make: Callable[..., Any]) -> dict[Any, Batch]:
    """The jobs by the node that each goes to."""
    batches: defaultdict[Any, Batch] = defaultdict(Batch)
    for job in jobs:
        batches[_node_of(job, topology, make)].add(job)
    return dict(batches)


def _node_of(job: Job, topology: Any, make: Callable[..., Any]) -> Any:
    if (asked := job.asked) is None:
        slot = slot_of(job.command)
        if not (nodes := topology.slots_cache.get(slot)):
            raise redis.exceptions.SlotNotCoveredError(f"slot {slot} has no node")
        return nodes[0]  # the master
    node = topology.get_node(asked.host, asked.port)
    if node is None:  # one that has no slot yet is not in the topology
        node = make(asked.host, asked.port, redis.cluster.PRIMARY)
        topology.nodes_cache[node.name] = node
    return node


def masters(topology: Any, keys: Sequence[str] = ()) -> list[Any]:
    """Those that have slots; with `keys`, only those that have these."""
    slots = topology.slots_cache
    found = map(slots.get, map(slot_of_key, keys)) if keys else slots.values()
    if not (having := {nodes[0]: None for nodes in found if nodes}):
        raise redis.exceptions.SlotNotCoveredError("these slots have no node")
    return list(having)


def grouped(keys: Sequence[str], topology: Any) -> list[list[str]]:
    """The keys, those of one master together. What has no master just now is a group, too."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for key in keys:
        groups[node_name(key, topology)].append(key)
    return list(groups.values())


def node_name(key: str, topology: Any) -> str:
    """The name of the master that has the key; '' where none has it."""
    nodes = topology.slots_cache.get(slot_of_key(key))
    return str(nodes[0].name) if nodes else ""
