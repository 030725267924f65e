"""Users affected: a HyperLogLog. Its registers only grow, so writing one twice changes nothing.

Flajolet et al. 2007, with linear counting for small numbers. 1,024 registers: a standard error of
3.25 % for large numbers, well under 1 % up to a few hundred users.
"""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

REGISTERS = 1024
_INDEX_BITS = 10
ALPHA = 0.7213 / (1 + 1.079 / REGISTERS)


def register(user: str) -> tuple[int, int]:
    """The register that `user` falls into, and the rank (1 to 55) it raises it to."""
    bits = int.from_bytes(_digest(user), "big")
    rest = bits >> _INDEX_BITS
    return bits & (REGISTERS - 1), (64 - _INDEX_BITS) - rest.bit_length() + 1


def estimate(ranks: Collection[int]) -> int:
    """How many users, from the ranks of the registers that are not empty."""
    empty = REGISTERS - len(ranks)
    raw = ALPHA * REGISTERS**2 / (empty + sum(2.0**-rank for rank in ranks))
    if raw <= 2.5 * REGISTERS and empty:
        return round(REGISTERS * math.log(REGISTERS / empty))
    return round(raw)


def digest(user: str) -> str:
    """16 hex digits that stand for `user`: enough to find somebody again whose name one knows."""
    return _digest(user).hex()


def _digest(user: str) -> bytes:
    return blake2b(user.encode(), digest_size=8).digest()
