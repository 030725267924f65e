"""Dead letters: entries that were rejected, or delivered too often without a commit."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from catchwater.event import Event, decode, encode
from catchwater.redis_client import as_mapping
from catchwater.streams import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.redis_client import Connection

SCRIPT = Path(__file__).with_suffix(".lua")
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. `id` is its partition's tag and its entry's id: `p42/1763900000000-0`."""

    id: str
    stage: str
    why: str
    tries: int
    fields: dict[bytes, bytes]

    @property
    def died(self) -> float:
        """When, in seconds since 1970, by Redis's clock."""
        return int(self.id.partition("/")[2].partition("-")[0]) / 1000

    @property
    def event(self) -> Event | None:
        """The event; None when the entry never was an event."""
        try:
            return decode(self.fields)
        except ValueError:
            return None


def letters(connection: Connection, defs: StreamDefs) -> Iterator[Letter]:
    """Every dead letter, partition by partition, oldest first."""
    for tag in defs.tags:
        start = "-"
        while found := connection.call("XRANGE", keys.dead(tag), start, "+", "COUNT", _PAGE):
            yield from (_letter(tag, entry, fields) for entry, fields in found)
            start = f"({found[-1][0].decode()}"


def find(connection: Connection, defs: StreamDefs, letter_id: str) -> Letter | None:
    """Returns the letter with that id, None when there is none (any more)."""
    tag, _, entry = letter_id.partition("/")
    if tag not in defs.tags or not entry.replace("-", "").isdigit():
        return None
    found = connection.call("XRANGE", keys.dead(tag), entry, entry)
    return _letter(tag, *found[0]) if found else None


def replay(connection: Connection, defs: StreamDefs, letter: Letter) -> bool:
    """Move a letter back to the stream that its stage reads.

    Returns False when it is gone already, or when its stage is not declared. An event older than
    `retention.hours` counts as received now: the counters of its own hour have expired.
    """
    if letter.stage not in defs.stages:
        return False
    stream = defs.stages[letter.stage].reads
    fields = _restamped(letter, defs.retention.hours)
    return _take(
        connection, letter, [stream, fields[b"id"], fields[b"head"], fields[b"body"]], stream
    )


def drop(connection: Connection, letter: Letter) -> bool:
    """Delete a letter and count it as dropped by the operator. False when it is gone already."""
    return _take(connection, letter, [])


def _take(
    connection: Connection, letter: Letter, replayed: list[str | bytes], stream: str = ""
) -> bool:
    tag, _, entry = letter.id.partition("/")
    touched = [keys.dead(tag), keys.ledger(tag)] + ([keys.stream(tag, stream)] if stream else [])
    return bool(connection.scripts(SCRIPT, [(touched, [entry, letter.stage, *replayed])])[0])


def _restamped(letter: Letter, horizon: timedelta) -> dict[bytes, bytes]:
    event, now = letter.event, int(time.time() * 1000)
    if (
        event is None
        or event.received == 0
        or event.received > now - horizon / timedelta(milliseconds=1)
    ):
        return {name: letter.fields.get(name, b"") for name in (b"id", b"head", b"body")}
    return encode(replace(event, received=now))


def _letter(tag: str, entry: bytes, flat: list[bytes]) -> Letter:
    fields = as_mapping(flat)
    stage, why, tries = (fields.pop(name).decode() for name in (b"stage", b"why", b"tries"))
    return Letter(f"{tag}/{entry.decode()}", stage, why, int(tries), fields)
