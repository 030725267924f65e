"""An event: a report once accepted. It is what travels through the streams, one entry each.

On the wire an entry has three fields: `id`, `head` (a small JSON object: what later stages need)
and `body` (JSON, whole, untouched by stages that do not need to look inside). `head` has the
version of this format, `v`. A reader takes what it knows and leaves the rest, so processes of two
neighbouring versions can work on one stream.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

VERSION = 1
"""The version of an entry's format: raised when a reader of the version before would be wrong."""

CLIENT_REPORT = "client_report"
"""The kind of an event that is no error: its `facts` say how many errors a page discarded, by
reason. It has an id like any event, so it is counted once.
"""

PROBES = "0"
"""The project of `catchwater probe`: its events are counted like all others, and listed nowhere."""


@dataclass(frozen=True, slots=True)
class Event:
    """One accepted report.

    `id` is 32 lower-case hex digits, chosen by the client, else by ingest. `received` is the ingest
    server's clock in milliseconds since 1970: the client's own clock is never trusted for counting.
    `kind` says what `body` holds: `snippet`, `sentry`, `report`, `csp` (as the browser sent it),
    `named` (normalised by the fingerprint stage), `tally` (absolute counters for the sink),
    `client_report` (see CLIENT_REPORT). `facts` is small and JSON: what a stage leaves for later
    stages.
    """

    id: str
    project: str
    received: int
    kind: str
    body: bytes
    facts: Json = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """The body, parsed anew at each call. Raises `orjson.JSONDecodeError` (a ValueError)."""
        return orjson.loads(self.body)

    @property
    def mark(self) -> str:
        """What tells it from every other event: ids are the clients' own, so the project, too."""
        return f"{self.project}/{self.id}"

    def with_(self, *, kind: str, facts: Json, body: bytes | None = None) -> Event:
        """The same event, further on its way."""
        return Event(
            self.id, self.project, self.received, kind, self.body if body is None else body, facts
        )


def encode(event: Event) -> dict[bytes, bytes]:
    """The fields of a stream entry."""
    head = {
        "v": VERSION,
        "project": event.project,
        "received": event.received,
        "kind": event.kind,
        "facts": event.facts,
    }
    return {b"id": event.id.encode(), b"head": orjson.dumps(head), b"body": event.body}


def decode(fields: Mapping[bytes, bytes]) -> Event:
    """The event in a stream entry. Raises ValueError when the entry is not one of ours.

    An entry without a version was written by version 1.0 or before.
    """
    try:
        head = orjson.loads(fields[b"head"])
        return Event(
            fields[b"id"].decode("ascii"),
            head["project"],
            head["received"],
            head["kind"],
            fields[b"body"],
            head["facts"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"not an event: {error!r} in an entry with the fields {sorted(fields)}"
        ) from error
