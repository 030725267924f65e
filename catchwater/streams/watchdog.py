"""Ends the process when a stage hangs: then its entries are claimed by others, as after a crash.

The event that hangs is isolated like one that kills, and goes to the dead letters after `tries`.
The timer is faulthandler's: it runs without Python's interpreter lock, which a hanging regular
expression or C function never releases. It writes the stack of every thread to stderr.
"""

from __future__ import annotations

import faulthandler
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STDERR = 2
CHECK_S = 0.5
"""Seconds between two looks at the loops. A hang is noticed that much late, at most."""


class Watched(Protocol):
    @property
    def hang_after_s(self) -> float:
        """Seconds of work on one batch after which the process is to end."""

    def busy_s(self, now: float) -> float:
        """Seconds of work on the current batch, at the monotonic time `now`; 0 while it waits."""


@contextmanager
def watched(loops: Sequence[Watched]) -> Iterator[None]:
    """Watch the loops of this process as long as the context lasts. Only once per process."""
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(loops, ended), name="watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        faulthandler.cancel_dump_traceback_later()


def _watch(loops: Sequence[Watched], ended: threading.Event) -> None:
    while not ended.is_set():
        now = time.monotonic()
        left_s = min(loop.hang_after_s - loop.busy_s(now) for loop in loops)
        faulthandler.dump_traceback_later(max(0.001, left_s), exit=True, file=STDERR)
        ended.wait(CHECK_S)
