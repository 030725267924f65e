"""Sentry's envelopes: a header line, then items, each a header line and a payload.

Bytes in, bytes out; pure.

https://develop.sentry.dev/sdk/data-model/envelopes/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from catchwater.errors import MalformedEnvelopeError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ITEMS = 200
"""Items that are looked at; the SDKs send a handful."""

KNOWN_ITEMS = frozenset(
    {
        "session",
        "sessions",
        "transaction",
        "span",
        "log",
        "trace_metric",
        "replay_event",
        "replay_recording",
    }
    | {"feedback", "user_report", "attachment", "profile", "profile_chunk", "check_in", "statsd"}
)
"""Items that SDKs send and that are not stored: metrics name these, and every other one `other`."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item, its payload untouched."""

    type: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    event_id: str
    dsn: str
    items: list[Item]


def parse(body: bytes) -> Envelope:
    """The envelope in `body`. Raises MalformedEnvelopeError."""
    line, _, rest = body.partition(b"\n")
    header = _object(line, "the envelope's header")
    return Envelope(_text(header, "event_id"), _text(header, "dsn"), list(_items(rest)))


def _items(rest: bytes) -> Iterator[Item]:
    position, count = 0, 0
    while position < len(rest):
        if rest[position : position + 1] == b"\n":  # an empty line between items
            position += 1
            continue
        count += 1
        if count > MOST_ITEMS:
            raise MalformedEnvelopeError(f"more than {MOST_ITEMS} items")
        header, position = _header(rest, position)
        payload, position = _payload(rest, position, header.get("length"))
        yield Item(_text(header, "type"), payload)


def _header(rest: bytes, start: int) -> tuple[dict[str, Any], int]:
    end = rest.find(b"\n", start)
    end = len(rest) if end < 0 else end
    return _object(rest[start:end], "an item's header"), end + 1


def _payload(rest: bytes, start: int, length: Any) -> tuple[bytes, int]:
    """With a length exactly that many bytes, which may hold newlines; without one the rest of
    the line.
    """
    if length is None:
        end = rest.find(b"\n", start)
        end = len(rest) if end < 0 else end
        return rest[start:end], end + 1
    if not isinstance(length, int) or isinstance(length, bool) or length < 0:
        raise MalformedEnvelopeError(f"an item's length is {length!r}, not a number of bytes")
    if start + length > len(rest):
        raise MalformedEnvelopeError(
            f"an item says that it has {length} bytes; {max(0, len(rest) - start)} are there"
        )
    end = start + length
    return rest[start:end], end + 1


def _object(line: bytes, what: str) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise MalformedEnvelopeError(f"{what} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise MalformedEnvelopeError(f"{what} is not a JSON object")
    return found


def _text(header: dict[str, Any], name: str) -> str:
    value = header.get(name)
    return value if isinstance(value, str) else ""
