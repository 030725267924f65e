"""Moves entries to the partition that their ids belong to, once the partitions have grown.

Marks are in the partition of their event's id. Everything else about an event may be counted
wherever it is, so only stages that set marks move what is elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from catchwater.answers import Move
from catchwater.event import Event, decode, encode
from catchwater.streams import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.answers import Answer
    from catchwater.config.streamdefs import StreamDefs
    from catchwater.redis_client import Connection
    from catchwater.streams.commit import Entry

SCRIPT = Path(__file__).with_name("move.lua")

REPLICAS = "wait_replicas"
"""The field of cw:meta that says how many replicas must have a copy before its original goes."""


def forward(
    connection: Connection, defs: StreamDefs, stage: str, answered: Sequence[tuple[Entry, Answer]]
) -> None:
    """Add what is answered with Move to the stream of its own partition: the same stage's there.

    To be done before these answers are committed. Done again, it leaves further copies, which are
    duplicates like whatever a client sends twice. Raises UnavailableError.
    """
    added: defaultdict[int, list[bytes | str]] = defaultdict(lambda: [stage])
    for entry, answer in answered:
        if type(answer) is Move:  # no isinstance: it is asked of every event, at each stage
            added[defs.partition_of(answer.event.id)] += _fields(entry, answer.event)
    if not added:
        return
    reads = defs.stages[stage].reads
    touched = {
        one: [keys.stream(defs.tags[one], reads), keys.ledger(defs.tags[one])] for one in added
    }
    replicas = int(connection.call("HGET", keys.META, REPLICAS) or 0)
    connection.scripts(SCRIPT, [(touched[one], args) for one, args in added.items()], replicas)


def _fields(entry: Entry, event: Event) -> list[bytes]:
    """As they are in the entry, of which a later version may know more, but for the time when it
    was received: that was looked at where its own entry was added.
    """
    fields = entry.fields if decode(entry.fields) == event else encode(event)
    return [fields[b"id"], fields[b"head"], fields[b"body"]]
