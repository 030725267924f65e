"""How far an issue departs from what is usual for it, as one number to sort by. Pure."""

from __future__ import annotations

import math
from datetime import timedelta

DAY = 24
WEEK = 7 * DAY
"""Hours: those that are looked at, the last being the running one, and those before them."""

DAYS = WEEK / DAY

SPAN = timedelta(hours=DAY + WEEK)


def trend(day: int, week: int) -> int:
    """Of events in 24 hours, and in the week before: how many more there are than on a usual day
    of that week, in standard deviations of what comes by chance (Poisson), roughly.

    So 10 after nothing is as much as 200 after 100 a day. 0 is as usual, and less is negative.
    """
    usual = week / DAYS
    return round((day - usual) / math.sqrt(usual + 1))
