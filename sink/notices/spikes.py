"""Whether an issue happens far more often than it usually does at this time. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = 24
LEAST_HISTORY = DAY
"""Hours that an issue must have been there: what is new is told as new."""


FEW_DAYS = 3
"""With fewer, nobody knows the rhythm of a day yet."""


def is_spike(hours: Sequence[int], factor: float, least: int) -> bool:
    """Whether the last of `hours`, the running one, is a spike. They are counts, oldest first.

    It is compared with what is usual: the upper quartile of the same time on the days before, an
    hour earlier or later included, or that time yesterday where it is more. So a daily rhythm is no
    spike, nor one that moves by an hour, nor the first day of a weekend. What is usual varies by
    chance, too: five standard deviations of a Poisson process are not enough.
    """
    *before, current = hours
    if current < least or len(before) < LEAST_HISTORY:
        return False
    usual = _usual(before)
    return bool(current > factor * usual and current > usual + 5 * (usual + 1) ** 0.5)


def _usual(before: Sequence[int]) -> int:
    days = [_around(before, n) for n in range(DAY, len(before) + 1, DAY)]
    usual = max(days[0], _quantile(days, 0.75))
    return max(usual, _quantile(before[-DAY:], 0.5)) if len(days) < FEW_DAYS else usual


def _around(before: Sequence[int], hours_ago: int) -> int:
    """The most in one of three hours: the one so long ago, and those beside it."""
    place = len(before) - hours_ago
    return max(before[max(0, place - 1) : place + 2])


def _quantile(values: Sequence[int], share: float) -> int:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
