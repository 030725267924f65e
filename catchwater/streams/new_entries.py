"""Reads what is new in the streams of all partitions, for one consumer."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from catchwater.errors import CatchwaterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.redis_arrivals import Arrivals
    from catchwater.redis_client import Connection

_MILLISECOND = timedelta(milliseconds=1)

SHORTEST_PAUSE_S = 0.001
LONGEST_PAUSE_S = 0.1
"""Between two looks at a cluster; doubled after each that finds nothing, up to the longest."""

WATCHED_FROM_S = 0.01
"""With a longer pause the streams are watched, as far as they can be, and nobody looks."""


class Found(NamedTuple):
    """What is new by stream, as Redis sends it, and why some streams could not be read."""

    streams: Sequence[Any]
    error: CatchwaterError | None = None


class NewEntries(Protocol):
    """Both raise as `Connection.call` does."""

    def read(self, most: int, wait: timedelta) -> Found:
        """At most `most` new entries of each stream. Waits for one of them, for `wait` at most."""

    def more(self, most: int, streams: Sequence[str]) -> Found:
        """At most `most` further ones of each of these, without waiting."""


def new_entries(
    connection: Connection, group: str, consumer: str, streams: Sequence[str]
) -> NewEntries:
    head = ("XREADGROUP", "GROUP", group, consumer)
    if arrivals := connection.arrivals(streams):
        return _Polling(connection, head, streams, arrivals)
    return _Blocking(connection, head, streams)


def of_fair_shares(new: NewEntries, entries: int, streams: int, wait: timedelta) -> Found:
    """New entries of so many streams, about `entries` in all: each gives at most its share, rounded
    up, and those that have more give what the others leave.

    Else one that alone has much to do would be read a few at a time.
    """
    share = max(1, -(-entries // streams))
    found = new.read(share, wait)
    room = entries - sum(len(its_entries) for _, its_entries in found.streams)
    having = [stream.decode() for stream, its_entries in found.streams if len(its_entries) >= share]
    if not having or room < len(having):
        return found
    try:
        further = new.more(room // len(having), having)
    except CatchwaterError as error:  # what was found is to be worked on first
        further = Found((), error)
    return Found([*found.streams, *further.streams], found.error or further.error)


class _Blocking:
    """One command for all streams, which Redis answers as soon as there is something."""

    def __init__(
        self, connection: Connection, head: tuple[str, ...], streams: Sequence[str]
    ) -> None:
        self._connection = connection
        self._head = head
        self._keys = ("STREAMS", *streams, *(">" for _ in streams))

    def read(self, most: int, wait: timedelta) -> Found:
        options = ("COUNT", most, "BLOCK", wait // _MILLISECOND)
        return Found(self._connection.call(*self._head, *options, *self._keys) or ())

    def more(self, most: int, streams: Sequence[str]) -> Found:
        keys = ("STREAMS", *streams, *(">" for _ in streams))
        return Found(self._connection.call(*self._head, "COUNT", most, *keys) or ())


class _Polling:
    """One command a stream, again and again: on a cluster a command has keys of one slot only.

    While nothing comes, it is waited for with a connection a stream. If these delivered entries,
    those of one would wait while others' are worked on.
    """

    def __init__(
        self,
        connection: Connection,
        head: tuple[str, ...],
        streams: Sequence[str],
        arrivals: Arrivals,
    ) -> None:
        self._connection = connection
        self._head = head
        self._streams = streams
        self._arrivals = arrivals
        self._pause_s = SHORTEST_PAUSE_S

    def read(self, most: int, wait: timedelta) -> Found:
        deadline = time.monotonic() + wait.total_seconds()
        while not (found := self.more(most, self._streams)).streams:
            if found.error:
                raise found.error
            if (left_s := deadline - time.monotonic()) <= 0:
                return found
            self._wait(left_s)
        self._pause_s = SHORTEST_PAUSE_S
        return found

    def _wait(self, left_s: float) -> None:
        """Until it is time to look again; not at all when the streams have just been watched from
        then on: something may have come before.
        """
        if self._pause_s > WATCHED_FROM_S:
            if self._arrivals.watched:
                return self._arrivals.wait(left_s)
            if self._arrivals.watch():
                return None
        time.sleep(min(self._pause_s, left_s))
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        return None

    def more(self, most: int, streams: Sequence[str]) -> Found:
        replies = self._connection.attempts(
            [(*self._head, "COUNT", most, "STREAMS", stream, ">") for stream in streams]
        )
        errors = (reply for reply in replies if isinstance(reply, CatchwaterError))
        streams = [
            reply[0] for reply in replies if reply and not isinstance(reply, CatchwaterError)
        ]
        return Found(streams, next(errors, None))
