"""Dead letters: entries whose stage said that they never will work, or that killed too many consumers."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from catchwater import keys
from catchwater.connection import pairs
from catchwater.event import Event, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catchwater.connection import Connection
    from catchwater.streamdefs import StreamDefs

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
        """None when the entry never was one of ours."""
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
    """The letter of that id, None when it is gone or never was."""
    tag, _, entry = letter_id.partition("/")
    if tag not in defs.tags or not entry.replace("-", "").isdigit():
        return None
    found = connection.call("XRANGE", keys.dead(tag), entry, entry)
    return _letter(tag, *found[0]) if found else None


def replay(connection: Connection, defs: StreamDefs, letter: Letter) -> bool:
    """Give it to its stage once more. False when somebody else took it first, or its stage is gone.

    An event older than the hours that MongoDB keeps counts as received now: the counters of its own hour are gone.
    """
    if letter.stage not in defs.stages:
        return False
    stream = defs.stages[letter.stage].reads
    fields = _restamped(letter, defs.retention.hours)
    return _take(connection, letter, [stream, fields[b"id"], fields[b"head"], fields[b"body"]], stream)


def drop(connection: Connection, letter: Letter) -> bool:
    """Throw it away; it is counted as dropped by the operator. False when it was gone already."""
    return _take(connection, letter, [])


def _take(connection: Connection, letter: Letter, replayed: list[str | bytes], stream: str = "") -> bool:
    tag, _, entry = letter.id.partition("/")
    touched = [keys.dead(tag), keys.ledger(tag)] + ([keys.stream(tag, stream)] if stream else [])
    return bool(connection.scripts("dead", [(touched, [entry, letter.stage, *replayed])])[0])


def _restamped(letter: Letter, horizon: float) -> dict[bytes, bytes]:
    event, now = letter.event, int(time.time() * 1000)
    if event is None or event.received == 0 or event.received > now - horizon * 1000:
        return {name: letter.fields.get(name, b"") for name in (b"id", b"head", b"body")}
    return encode(replace(event, received=now))


def _letter(tag: str, entry: bytes, flat: list[bytes]) -> Letter:
    fields = pairs(flat)
    stage, why, tries = (fields.pop(name).decode() for name in (b"stage", b"why", b"tries"))
    return Letter(f"{tag}/{entry.decode()}", stage, why, int(tries), fields)
