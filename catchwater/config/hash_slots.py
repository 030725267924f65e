"""Hash tags for the partitions whose cluster slots are spread evenly over Redis's 16,384."""

from __future__ import annotations

from binascii import crc_hqx
from functools import lru_cache

SLOTS = 16_384


def slot(tag: str) -> int:
    """The cluster slot of a hash tag: CRC16 (XMODEM), as in the Redis Cluster specification."""
    return crc_hqx(tag.encode(), 0) % SLOTS


@lru_cache
def tags(partitions: int) -> list[str]:
    """One tag a partition; tag i lies in the i-th of `partitions` equal ranges of slots."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < partitions:
        tag = f"p{number}"
        found.setdefault(slot(tag) * partitions // SLOTS, tag)
        number += 1
    return [found[i] for i in range(partitions)]
