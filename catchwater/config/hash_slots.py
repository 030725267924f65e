"""Hash tags for the partitions whose cluster slots are spread evenly over Redis's 16,384.

The tags of twice as many partitions begin with those of the half, so that data can grow: partition
`i` of 8 becomes the partitions `i` and `i + 8` of 16, and an id of either was in `i` before.
"""

from __future__ import annotations

from binascii import crc_hqx
from functools import lru_cache

SLOTS = 16_384

UNDOUBLED = 8
"""Up to so many partitions, and of an odd number, the tags are in the order of their slots."""


def slot(tag: str) -> int:
    """The cluster slot of a hash tag: CRC16 (XMODEM), as in the Redis Cluster specification."""
    return crc_hqx(tag.encode(), 0) % SLOTS


MOST = 256
"""Partitions."""


@lru_cache
def tags(partitions: int) -> list[str]:
    """One tag a partition; one in each of `partitions` equal ranges of slots."""
    spread = _spread(partitions)
    if not is_doubled(partitions):
        return spread
    earlier = tags(partitions // 2)
    return earlier + [_neighbour(tag, spread) for tag in earlier]


def is_doubled(partitions: int) -> bool:
    """Whether their tags begin with those of half as many."""
    return partitions > UNDOUBLED and partitions % 2 == 0


@lru_cache
def grows_to(partitions: int) -> list[int]:
    """To how many they can be doubled, once or several times."""
    doubled = (partitions << times for times in range(1, MOST.bit_length()))
    return [n for n in doubled if n <= MOST and tags(n)[:partitions] == tags(partitions)]


def _neighbour(tag: str, spread: list[str]) -> str:
    """The one in the other half of the range that was one range while there were half as many."""
    first = 2 * _range(tag, len(spread) // 2)
    return next(one for one in spread[first : first + 2] if one != tag)


def _spread(partitions: int) -> list[str]:
    """Tag i lies in the i-th range. It is the first found there, so those of half as many are
    among these.
    """
    found: dict[int, str] = {}
    number = 0
    while len(found) < partitions:
        tag = f"p{number}"
        found.setdefault(_range(tag, partitions), tag)
        number += 1
    return [found[i] for i in range(partitions)]


def _range(tag: str, ranges: int) -> int:
    return slot(tag) * ranges // SLOTS
