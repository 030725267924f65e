"""Waits until all that was accepted before now is finished: stored, dropped or a dead letter."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from catchwater.monitoring import snapshot as snapshots

if TYPE_CHECKING:
    from catchwater.config.streamdefs import StreamDefs
    from catchwater.redis_client import Connection

EVERY_S = 0.1


def settled(connection: Connection, defs: StreamDefs, timeout_s: float) -> bool:
    """Whether it is, within `timeout_s` seconds. Raises UnavailableError.

    Stage after stage: what one is done with is new in the stream of the next.
    """
    deadline = time.monotonic() + timeout_s
    for name in [
        *defs.counting_path,
        *(one for one in defs.stages if one not in defs.counting_path),
    ]:
        since = time.monotonic()
        while not _is_done(connection, defs, name, since):
            if time.monotonic() > deadline:
                return False
            time.sleep(EVERY_S)
    return True


def _is_done(connection: Connection, defs: StreamDefs, stage: str, since: float) -> bool:
    """Whether nothing waits for a stage that came before `since`."""
    status = next(one for one in snapshots.take(connection, defs).stages if one.stage == stage)
    return not status.depth or status.oldest_age_s < time.monotonic() - since
