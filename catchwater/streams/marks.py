"""Reads the marks that commits have set: what a stage with `once_for` has met.

How commit.lua stores them is said there: a window of time has layers of slots.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from catchwater.streams import keys
from catchwater.streams.commit import mark_digest

if TYPE_CHECKING:
    from catchwater.config.streamdefs import StreamDefs
    from catchwater.redis_client import Connection

_OLDER_WINDOWS = 4
"""Windows before the running one whose marks may not have expired yet."""


@dataclass(frozen=True, slots=True)
class MetMark:
    """A mark that a stage has met. `since` and `until` bound when its event came, in UTC."""

    stage: str
    mark: str
    since: datetime
    until: datetime


def met(connection: Connection, defs: StreamDefs, tag: str, mark: str) -> list[MetMark]:
    """Where the partition with this hash tag has `mark`, by stage and window, oldest first.

    Raises UnavailableError.
    """
    now_ms = int(connection.call("TIME")[0]) * 1000
    found = []
    for stage, settings in defs.stages.items():
        if settings.once_for is None:
            continue
        half = settings.once_for / 2
        running = now_ms // int(half / timedelta(milliseconds=1))
        for index in range(running - _OLDER_WINDOWS, running + 2):
            if _has(connection, keys.marks(tag, stage, index), mark_digest(mark)):
                since = datetime.fromtimestamp(0, UTC) + index * half
                found.append(MetMark(stage, mark, since, since + half))
    return found


def _has(connection: Connection, window: str, digest: bytes) -> bool:
    layers = connection.call("HGET", window, "slots")
    if layers is None:
        return False
    place = int.from_bytes(digest[:3], "big")
    slots = [f"{window}:{n}:{place % size}" for n, size in enumerate(orjson.loads(layers), 1)]
    found = connection.calls([("HGET", slot, digest[3:]) for slot in slots])
    return any(one is not None for one in found)
