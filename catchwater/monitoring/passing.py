"""What passes through a stream: it is looked at without a group, so nobody's work is touched.

Stages trim what they are done with. So entries may come and go between two looks; how many that
were is known by Redis's own count of what was added.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from catchwater.event import decode
from catchwater.redis_client import as_mapping
from catchwater.streams import keys

if TYPE_CHECKING:
    from catchwater.config.streamdefs import StreamDefs
    from catchwater.redis_client import Connection

DEAD = "dead"
"""The stream of dead letters, which every partition has besides the declared ones."""


@dataclass(frozen=True, slots=True)
class Passed:
    """An entry as it passed. `tag` is its partition."""

    tag: str
    entry: str
    fields: dict[bytes, bytes]

    @property
    def added(self) -> datetime:
        """When, by Redis's clock."""
        return datetime.fromtimestamp(int(self.entry.partition("-")[0]) / 1000, UTC)

    def as_json(self) -> dict[str, Any]:
        """Everything about it; of what is no event, the fields as they are."""
        place = {"partition": self.tag, "entry": self.entry, "added": self.added}
        found = {
            name.decode(errors="replace"): value.decode(errors="replace")
            for name, value in self.fields.items()
        }
        try:
            event = decode(self.fields)
        except ValueError:
            return {**place, "fields": found}
        told = {"id": event.id, "project": event.project, "received": event.received}
        rest = {name: found[name] for name in ("stage", "why", "tries") if name in found}
        return {
            **place,
            **told,
            "kind": event.kind,
            "facts": event.facts,
            "body": found["body"],
        } | rest


class Window:
    """Looks at a stream again and again: each time at what is new in it."""

    def __init__(self, connection: Connection, defs: StreamDefs, stream: str, lines: int) -> None:
        """Its first look is at the last `lines` entries that are there. Raises UnavailableError."""
        self._connection = connection
        self._keys = {
            tag: keys.dead(tag) if stream == DEAD else keys.stream(tag, stream) for tag in defs.tags
        }
        self._last = dict.fromkeys(defs.tags, "0-0")
        found = self._read(max(lines, 1))
        self.first = found[-lines:] if lines else []
        # What is added meanwhile is in both numbers: it is not said to have passed unseen.
        self._credit = -self._added()

    def look(self, most: int) -> tuple[list[Passed], int]:
        """The newest of what came since the last look, oldest first, and how many more came.

        At most `most` of each partition are read. Raises UnavailableError.
        """
        added = self._added()
        found = self._read(most)
        unseen = max(0, added + self._credit - len(found))
        self._credit -= len(found) + unseen
        return found, unseen

    def _added(self) -> int:
        """How many entries were ever added, over all partitions."""
        there = [key for key in self._keys.values() if self._connection.call("EXISTS", key)]
        infos = self._connection.calls([("XINFO STREAM", key) for key in there])
        return sum(int(as_mapping(one)[b"entries-added"]) for one in infos)

    def _read(self, most: int) -> list[Passed]:
        found = [one for tag, key in self._keys.items() for one in self._newer(tag, key, most)]
        return sorted(found, key=lambda one: _order(one.entry))

    def _newer(self, tag: str, key: str, most: int) -> list[Passed]:
        newer = f"({self._last[tag]}"
        reply = self._connection.call("XREVRANGE", key, "+", newer, "COUNT", most)
        passed = [Passed(tag, entry.decode(), as_mapping(flat)) for entry, flat in reply]
        if passed:
            self._last[tag] = passed[0].entry
        return passed


def _order(entry: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry.partition("-")
    return int(milliseconds), int(sequence)
