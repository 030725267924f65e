"""How old what Redis wrote to its log may get: raw events are in it that have long left Redis."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from catchwater.local.servers import RedisServer

REWRITE_AFTER_S = 24 * 3600.0
"""Seconds after which the log is written anew, with only what is in Redis by then."""

AGAIN_AFTER_S = 60.0
"""Seconds until the next try, where Redis is away or busy."""


class LogAge:
    """Has the log of one Redis written anew, the first time soon after it is made."""

    def __init__(self, server: RedisServer, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._server = server
        self._clock = clock
        self._due = clock() + AGAIN_AFTER_S

    def look(self) -> None:
        """To be called often: takes a second at most, and nearly always nothing."""
        if (now := self._clock()) < self._due:
            return
        begun = self._server.begin_to_rewrite_log()
        self._due = now + (REWRITE_AFTER_S if begun else AGAIN_AFTER_S)
