"""Whether a stage makes no progress, and why one would think so. Pure."""

from __future__ import annotations

OLD_S = 60.0
"""Seconds that an event may wait, however fast others are done."""

UNREAD_S = 5.0
"""Seconds that an event may wait for a stage without any consumer: one that runs reads at once."""

STILL_S = 20.0
"""Seconds that an event may wait while nothing is done: longer than a rate is taken over."""

NO_CONSUMER, NOTHING_DONE, TOO_SLOW = "no consumer", "nothing is done", "too slow"


def reason(oldest_age_s: float, consumers: int, rate: float) -> str:
    """NO_CONSUMER, NOTHING_DONE or TOO_SLOW; '' while events move.

    `rate` is in events a second.
    """
    if not consumers and oldest_age_s > UNREAD_S:
        return NO_CONSUMER
    if not rate and oldest_age_s > STILL_S:
        return NOTHING_DONE
    return TOO_SLOW if oldest_age_s > OLD_S else ""
