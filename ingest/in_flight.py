"""How many bytes of posts a process holds at once: bounded, and no project may have them all. Pure.

A post's bytes count from when they are read, packed and unpacked, until it is answered.
"""

from __future__ import annotations

from collections import Counter
from typing import Self

from catchwater.errors import RefusedRequestError
from ingest import responses
from ingest.refusal import Refusal

PROJECTS_SHARE = 0.65
"""The part of all bytes that one project may hold, where there are several: enough for the largest
envelope.
"""

SMALL = 65_536
"""Bytes of a post that its project may always hold: large ones of it must not keep out small ones.
"""

RETRY_AFTER_S = 2

FULL = Refusal(
    503, "in_flight", RETRY_AFTER_S, "too many bytes are being read just now: come again later"
)


class InFlight:
    def __init__(self, limit: int) -> None:
        """`limit` is in bytes."""
        self._limit = limit
        self._held: Counter[str] = Counter()
        self.bytes = 0

    def post(self, project: str, *, alone: bool) -> PostBytes:
        """The bytes of one post of a project, until the end of its `with` block. `alone`: there is
        no other project.
        """
        share = self._limit if alone else int(self._limit * PROJECTS_SHARE)
        return PostBytes(self, project, share)

    def has_room(self, project: str, size: int, share: int, more: int) -> bool:
        """Whether a post of `size` bytes may have `more`."""
        fits = size + more <= SMALL or self._held[project] + more <= share
        return fits and self.bytes + more <= self._limit

    def add(self, project: str, size: int) -> None:
        """That many bytes came, or are gone when below zero."""
        self.bytes += size
        self._held[project] += size
        if not self._held[project]:
            del self._held[project]


class PostBytes:
    """What one post holds."""

    __slots__ = ("_in_flight", "_project", "_share", "size")

    def __init__(self, in_flight: InFlight, project: str, share: int) -> None:
        self._in_flight = in_flight
        self._project = project
        self._share = share
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._in_flight.add(self._project, -self.size)

    def add(self, more: int) -> None:
        """That many bytes came. Raises RefusedRequestError (503) when there is no room for them."""
        if not self._in_flight.has_room(self._project, self.size, self._share, more):
            raise RefusedRequestError(FULL.reason, responses.refused(FULL))
        self.size += more
        self._in_flight.add(self._project, more)
