"""Takes private data out of Redis: values of tags among the counters, and dead letters.

Events on their way are not touched: an erasure waits for what came before it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from catchwater.redis_client import as_mapping
from catchwater.streams import counters, dead_letters, keys, time_buckets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.event import Event
    from catchwater.redis_client import Connection

_MONTHS = 3
"""Months whose counters may still be there: see MONTH_TTL_S."""

_OF_TAGS = ("tag\t", "distinct\t", "names")
"""How fields of an issue's counters begin that are of tags: see commit.lua."""


def tag_values(
    connection: Connection,
    defs: StreamDefs,
    issue: str,
    month: str,
    tags: Iterable[str],
    value: str,
) -> None:
    """Forget how often an issue was seen with `value` of these tags in a month."""
    fields = [f"tag\t{counters.short_tag(counters.tag(name, value))}" for name in tags]
    for tag in defs.tags:
        connection.call("HDEL", keys.tally(tag, month, issue), *fields)


def all_tags(connection: Connection, defs: StreamDefs, issues: Iterable[str]) -> None:
    """Forget all tags of issues, in every month that Redis still counts."""
    for issue in issues:
        for tag in defs.tags:
            for month in _months():
                _forget_tags(connection, keys.tally(tag, month, issue))


def _forget_tags(connection: Connection, key: str) -> None:
    found: dict[bytes, bytes] = as_mapping(connection.call("HGETALL", key))
    fields = [name for name in found if name.decode(errors="replace").startswith(_OF_TAGS)]
    if fields:
        connection.call("HDEL", key, *fields)


def _months() -> list[str]:
    """The running month and those before it, `yyyymm`."""
    found = [time_buckets.month(int(time.time() * 1000))]
    while len(found) < _MONTHS:
        year, month = int(found[-1][:4]), int(found[-1][4:])
        found.append(f"{year - (month == 1):04d}{(month - 2) % 12 + 1:02d}")
    return found


def drop_letters(connection: Connection, defs: StreamDefs, wanted: Callable[[Event], bool]) -> int:
    """Drop the dead letters whose events are `wanted`; the audit counts them as dropped.

    Returns how many.
    """
    found = [one for one in dead_letters.letters(connection, defs) if _is(one.event, wanted)]
    return sum(dead_letters.drop(connection, one) for one in found)


def _is(event: Event | None, wanted: Callable[[Event], bool]) -> bool:
    return event is not None and wanted(event)


def body_of(event: Event) -> Any:
    """The event's body; None where it is no JSON."""
    try:
        return event.json
    except ValueError:
        return None
