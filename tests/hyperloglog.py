"""The estimate of a HyperLogLog in Python: what MongoDB's must agree with
(catchwater/issues/derived.py).
"""

from __future__ import annotations

import math
from collections.abc import Collection

from catchwater.streams.hyperloglog import ALPHA, REGISTERS


def estimate(ranks: Collection[int]) -> int:
    """How many users, from the ranks of the registers that are not empty."""
    empty = REGISTERS - len(ranks)
    raw = ALPHA * REGISTERS**2 / (empty + sum(2.0**-rank for rank in ranks))
    if raw <= 2.5 * REGISTERS and empty:
        return round(REGISTERS * math.log(REGISTERS / empty))
    return round(raw)
