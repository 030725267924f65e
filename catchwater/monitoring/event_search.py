"""Looks for one event in every stream of its partition, among the dead letters and the marks.

It only reads, and at most so many entries of a stream.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catchwater.event import Event, decode
from catchwater.monitoring.event_trace import DONE, PENDING, WAITING, Copy, DeadLetter, Trace
from catchwater.redis_client import as_mapping
from catchwater.streams import keys, marks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.redis_client import Connection

SCRIPT = Path(__file__).with_name("find_event.lua")
PAGE = 100
"""Entries of a stream that are looked at in one step."""


@dataclass(slots=True)
class _Found:
    """What one stream has of an event. `ids` are all that were looked at, oldest first."""

    ids: list[str] = field(default_factory=list)
    entries: list[tuple[str, dict[bytes, bytes]]] = field(default_factory=list)
    whole: bool = True


def trace(
    connection: Connection,
    defs: StreamDefs,
    event_id: str,
    projects: Iterable[str] = (),
    most: int = 100_000,
) -> Trace:
    """What Redis knows of an event. At most `most` entries of each stream are looked at.

    `projects` are those that may have sent it: dedupe remembers an event by project and id.
    Raises UnavailableError.
    """
    tag = defs.tags[defs.partition_of(event_id)]
    copies: list[Copy] = []
    unseen: list[str] = []
    for stream in defs.streams:
        found = _search(connection, keys.stream(tag, stream), event_id, most)
        copies += _copies(connection, defs, tag, stream, found)
        unseen += [] if found.whole else [stream]
    dead = _search(connection, keys.dead(tag), event_id, most)
    unseen += [] if dead.whole else ["dead"]
    letters = [_letter(tag, entry, fields) for entry, fields in dead.entries]
    senders = {one.project for one in copies} | set(projects)
    return Trace(
        event_id=event_id,
        tag=tag,
        copies=copies,
        dead=letters,
        met=[
            one
            for project in sorted(senders)
            for one in marks.met(connection, defs, tag, Event(event_id, project, 0, "", b"").mark)
        ],
        unseen=unseen,
        dropped=_dropped(connection, tag),
    )


def _search(connection: Connection, key: str, event_id: str, most: int) -> _Found:
    found, start = _Found(), "-"
    while len(found.ids) < most:
        ids, *matches = connection.scripts(SCRIPT, [([key], [event_id, start, PAGE])])[0]
        found.ids += [one.decode() for one in ids]
        found.entries += [(entry.decode(), as_mapping(flat)) for entry, flat in matches]
        if len(ids) < PAGE:
            return found
        start = f"({found.ids[-1]}"
    found.whole = False
    return found


def _copies(
    connection: Connection, defs: StreamDefs, tag: str, stream: str, found: _Found
) -> Iterator[Copy]:
    if not found.entries:
        return
    groups = [as_mapping(one) for one in connection.call("XINFO GROUPS", keys.stream(tag, stream))]
    delivered = {one[b"name"].decode(): one[b"last-delivered-id"].decode() for one in groups}
    for entry, fields in found.entries:
        for stage in defs.readers(stream):
            yield _copy(
                connection, tag, stream, stage, delivered.get(stage, "0-0"), entry, fields, found
            )


def _copy(
    connection: Connection,
    tag: str,
    stream: str,
    stage: str,
    delivered: str,
    entry: str,
    fields: Mapping[bytes, bytes],
    found: _Found,
) -> Copy:
    place = Copy(stream, entry, stage, DONE, *_sender(fields))
    held = connection.call("XPENDING", keys.stream(tag, stream), stage, entry, entry, 1)
    if held:
        _, consumer, idle_ms, deliveries = held[0]
        name, idle_s = consumer.decode(errors="replace"), idle_ms / 1000
        return replace(place, state=PENDING, consumer=name, idle_s=idle_s, deliveries=deliveries)
    if _number(entry) <= _number(delivered):
        return place
    before = sum(_number(delivered) < _number(one) < _number(entry) for one in found.ids)
    return replace(place, state=WAITING, before=before)


def _sender(fields: Mapping[bytes, bytes]) -> tuple[str, str]:
    """The event's project, and its issue where that has been decided; '' for what is no event."""
    try:
        event = decode(fields)
    except ValueError:
        return "", ""
    return event.project, str(event.facts.get("issue", ""))


def _letter(tag: str, entry: str, fields: dict[bytes, bytes]) -> DeadLetter:
    project, issue = _sender(fields)
    stage, why = (fields[name].decode(errors="replace") for name in (b"stage", b"why"))
    return DeadLetter(f"{tag}/{entry}", stage, why, int(fields[b"tries"]), project, issue)


def _dropped(connection: Connection, tag: str) -> dict[str, int]:
    """What stages have dropped in the partition so far, by stage and reason."""
    ledger: dict[Any, Any] = as_mapping(connection.call("HGETALL", keys.ledger(tag)))
    named = {name.decode(): int(n) for name, n in ledger.items()}
    return {
        name.replace(":dropped:", ": "): n
        for name, n in sorted(named.items())
        if ":dropped:" in name
    }


def _number(entry: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry.partition("-")
    return int(milliseconds), int(sequence)
