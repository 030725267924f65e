"""Whose events wait when room grows short: those of whoever fills it. Pure."""

from __future__ import annotations

import time

RESERVED = 0.1
"""The part of all room (a stream's limit, Redis's memory, the spool) that is kept for those who
need little of it.
"""

HALF_LIFE_S = 60.0
"""What a project sent counts half after this long."""

EVENT_BYTES = 500
"""What an event takes besides its body."""

_FORGOTTEN = 1.0
"""Bytes: a project that counts less is idle."""


class FairShares:
    """What each project sent to this process lately.

    As long as there is room, a project may use all of it. In the reserved part the share that one
    may have falls from all to what is left when all get the same. So whoever floods is refused
    there first, and the others are not.
    """

    def __init__(self) -> None:
        self._sent: dict[str, float] = {}
        self._at = 0.0

    def spend(self, project: str, size: int, now: float | None = None) -> None:
        """`size` bytes of this project, with EVENT_BYTES for each event, came in."""
        self._age(time.monotonic() if now is None else now)
        self._sent[project] = self._sent.get(project, 0.0) + size

    def is_over(self, project: str, fill: float, now: float | None = None) -> bool:
        """Whether it sends more than its share while `fill` (0 to 1) of the room is taken."""
        short = min(1.0, (fill - (1 - RESERVED)) / RESERVED)
        if short <= 0 or project not in self._sent:
            return False
        self._age(time.monotonic() if now is None else now)
        equal = 1 / max(2, len(self._sent))
        allowed = 1 - (1 - equal) * short
        return self._sent.get(project, 0.0) > allowed * sum(self._sent.values())

    def _age(self, now: float) -> None:
        """At most once a second: a post costs a look at the clock."""
        if now - self._at < 1:
            return
        weight = 0.5 ** ((now - self._at) / HALF_LIFE_S)
        aged = {project: sent * weight for project, sent in self._sent.items()}
        self._sent = {project: sent for project, sent in aged.items() if sent >= _FORGOTTEN}
        self._at = now
