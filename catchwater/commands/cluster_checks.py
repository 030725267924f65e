"""What a Redis Cluster lacks, as far as its own map of the slots and its nodes' settings tell."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from catchwater.config import hash_slots

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from catchwater.cluster_slots import Range

FEWEST_MASTERS = 3
"""With fewer, there is no majority left to promote a replica."""


def shape_problems(ranges: Sequence[Range], tags: Sequence[str]) -> Iterator[str]:
    """What is wrong with how slots and replicas are distributed. Pure."""
    covered = sum(one.last - one.first + 1 for one in ranges)
    if covered < hash_slots.SLOTS:
        yield f"{hash_slots.SLOTS - covered} slots have no node: redis-cli --cluster fix"
    masters = {one.nodes[0]: one.nodes[1:] for one in ranges}
    if len(masters) < FEWEST_MASTERS:
        yield f"it has {len(masters)} masters: with fewer than {FEWEST_MASTERS} none is replaced"
    for (host, port), replicas in masters.items():
        if not replicas:
            yield (
                f"{host}:{port} has no replica: while it is away, all stages wait and events stay "
                "in the spools"
            )
    yield from _uneven(ranges, tags, len(masters))


def _uneven(ranges: Sequence[Range], tags: Sequence[str], masters: int) -> Iterator[str]:
    slots = [hash_slots.slot(tag) for tag in tags]
    share = Counter(
        one.nodes[0] for slot in slots for one in ranges if one.first <= slot <= one.last
    )
    (host, port), most = share.most_common(1)[0] if share else (("", 0), 0)
    if most > len(tags) / masters + 2:
        yield (
            f"{most} of {len(tags)} partitions are on {host}:{port}: give each master an equal "
            "range of slots, by redis-cli --cluster rebalance"
        )


def setting_problems(settings: dict[str, str]) -> Iterator[str]:
    """What is wrong with the settings of a node. Pure."""
    if settings.get("cluster-require-full-coverage") == "yes":
        yield (
            "cluster-require-full-coverage is yes: while one master is away, all the others refuse "
            "events, too; set no"
        )
    if settings.get("min-replicas-to-write") == "0":
        yield (
            "min-replicas-to-write is 0: a master that is cut off goes on taking events, and they "
            "are lost when its replica takes over; set 1, and start ingest with --wait-replicas 1"
        )


CHECKED = ("cluster-require-full-coverage", "min-replicas-to-write")
