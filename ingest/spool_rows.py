"""Rows of the spool: what a page of them is, and which of them Redis has. Pure."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from catchwater.event import Event, decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PAGE_BYTES = 4_000_000
"""Bytes of a page: they all are in memory, here and in Redis."""

Row = tuple[int, Any, Any, Any]
"""A number, and what should be an id, a head and a body."""


class Page(NamedTuple):
    """The oldest rows of a file: their events, and the numbers of those that are no events."""

    inode: int
    events: list[Event]
    numbers: list[int]
    """Those of the events."""
    unreadable: list[int]

    @property
    def last(self) -> int:
        """The number of the last event, 0 without one. It is no unreadable row's: SQLite would give
        the number of a row that was moved away to the next event.
        """
        return self.numbers[-1] if self.numbers else 0


@dataclass(slots=True)
class Marks:
    """Which rows Redis has: those up to `to`, without those that were `left` for later."""

    to: int = 0
    left: array[int] = field(default_factory=lambda: array("Q"))
    """In order; 8 bytes each, as there may be as many as fit into the spool."""
    undeleted: int = 0
    """How many rows Redis has that are still to be deleted."""

    def add(self, page: Page, left: Sequence[int]) -> None:
        self.to = page.last
        self.left.extend(left)
        self.undeleted += len(page.events) - len(left)

    def added(self, numbers: Iterable[int]) -> list[int]:
        """Those that Redis has, of numbers up to `to`."""
        return [number for number in numbers if not self._is_left(number)]

    def deleted(self) -> None:
        """All are that Redis has. What comes next may get their numbers."""
        self.to = self.left[-1] if self.left else 0
        self.undeleted = 0

    def _is_left(self, number: int) -> bool:
        place = bisect_left(self.left, number)
        return place < len(self.left) and self.left[place] == number


def page_of(inode: int, rows: Iterable[Row]) -> Page:
    page = Page(inode, [], [], [])
    for number, *fields in rows:
        if event := _event(*fields):
            page.events.append(event)
            page.numbers.append(number)
        else:
            page.unreadable.append(number)
    return page


def until(most: int, rows: Iterable[Row]) -> Iterator[Row]:
    """The first rows; none after their bodies are `most` bytes."""
    size = 0
    for row in rows:
        yield row
        size += len(row[3]) if isinstance(row[3], bytes) else 0
        if size >= most:
            return


def _event(id_: Any, head: Any, body: Any) -> Event | None:
    """None where the row is another version's, or damaged: then its values may be of any type."""
    if not (isinstance(id_, str) and isinstance(head, bytes) and isinstance(body, bytes)):
        return None
    try:
        return decode({b"id": id_.encode(), b"head": head, b"body": body})
    except ValueError:
        return None
