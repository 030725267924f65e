"""Waits for entries of several streams of a Redis Cluster, with a connection for each stream.

A command that waits has keys of one slot only. What is read here is only the sign that there is
something: no group is involved, so nothing is delivered to somebody who then works on another
stream.
"""

from __future__ import annotations

import math
import selectors
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catchwater.redis_errors import ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BLOCK_S = 30.0
"""After this Redis answers that nothing came, which also shows that the connection is alive."""

OVERDUE_S = 10.0
"""How much later the answer may come."""

AFTER_FAILURE_S = 5.0
"""No connection is tried for so long after one has failed."""


@dataclass(slots=True)
class _Watch:
    connection: Any
    socket: Any
    answer_by: float = math.inf


class Arrivals:
    """For one thread. Raises nothing: where it cannot watch all streams, it says so."""

    def __init__(self, streams: Sequence[str], connected: Callable[[str], Any]) -> None:
        """`connected` gives a new connection of redis-py to the node that has a stream."""
        self._connected = connected
        self._unwatched = set(streams)
        self._watches: dict[str, _Watch] = {}
        self._ready = selectors.DefaultSelector()
        self._again_at = 0.0

    @property
    def watched(self) -> bool:
        """Whether an entry that is added to any of the streams ends `wait`, or has come since."""
        return not self._unwatched

    def watch(self) -> bool:
        """Watch all of them, from now on. Whether it can."""
        if time.monotonic() < self._again_at:
            return False
        for stream in sorted(self._unwatched):
            try:
                self._begin(stream)
            except (*ERRORS, OSError):
                self._fail()
                return False
        return True

    def wait(self, seconds: float) -> None:
        """Until something may have come, for so long at most. Then some are no longer watched."""
        for key, _ in self._ready.select(seconds):
            self._end(key.data)
        now = time.monotonic()
        if any(watch.answer_by < now for watch in self._watches.values()):
            self._fail()

    def close(self) -> None:
        for stream in list(self._watches):
            self._drop(stream)

    def _begin(self, stream: str) -> None:
        watch = self._watches.get(stream) or self._connect(stream)
        block_ms = round(1000 * BLOCK_S)
        watch.connection.send_command(
            *("XREAD", "COUNT", 1, "BLOCK", block_ms, "STREAMS", stream, "$")
        )
        watch.answer_by = time.monotonic() + BLOCK_S + OVERDUE_S
        self._unwatched.discard(stream)

    def _connect(self, stream: str) -> _Watch:
        connection = self._connected(stream)
        connection.connect()
        # redis-py waits for one connection only.
        watch = _Watch(connection, connection._sock)  # noqa: SLF001 - it has no other way to it
        self._ready.register(watch.socket, selectors.EVENT_READ, stream)
        self._watches[stream] = watch
        return watch

    def _end(self, stream: str) -> None:
        if (watch := self._watches.get(stream)) is None:  # another one has just failed
            return
        try:
            watch.connection.read_response()
        except (*ERRORS, OSError):  # cut, or the stream is elsewhere by now
            self._fail()
        else:
            watch.answer_by = math.inf
            self._unwatched.add(stream)

    def _fail(self) -> None:
        """A part of them is of no use, and others may need the connections."""
        self.close()
        self._again_at = time.monotonic() + AFTER_FAILURE_S

    def _drop(self, stream: str) -> None:
        self._unwatched.add(stream)
        watch = self._watches.pop(stream)
        self._ready.unregister(watch.socket)
        watch.connection.disconnect()
