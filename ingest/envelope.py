"""Sentry's envelopes: a header line, then items, each a header line and a payload.

Bytes in, bytes out; pure.

https://develop.sentry.dev/sdk/data-model/envelopes/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from catchwater.errors import MalformedEnvelopeError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ITEMS = 200
"""Items that are looked at; the SDKs send a handful."""

LONGEST_HEADER = 16_384
"""Bytes of a header: those of the SDKs have below 2,000."""

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


_NEWLINES = re.compile(rb"\n*")


@dataclass(frozen=True, slots=True)
class Item:
    """One item, its payload untouched: a part of the envelope, without a copy."""

    type: str
    payload: memoryview


@dataclass(frozen=True, slots=True)
class Envelope:
    event_id: str
    dsn: str
    items: list[Item]


def parse(body: bytes | bytearray) -> Envelope:
    """The envelope in `body`. Raises MalformedEnvelopeError."""
    header, start = _header(body, 0, "the envelope's header")
    return Envelope(_text(header, "event_id"), _text(header, "dsn"), list(_items(body, start)))


def dsn_of(first_line: bytes) -> str:
    """The DSN in an envelope's header; '' without one. Raises MalformedEnvelopeError."""
    return _text(_header(first_line, 0, "the envelope's header")[0], "dsn")


def _items(body: bytes | bytearray, position: int) -> Iterator[Item]:
    count = 0
    while (position := _after_empty_lines(body, position)) < len(body):
        count += 1
        if count > MOST_ITEMS:
            raise MalformedEnvelopeError(f"more than {MOST_ITEMS} items")
        header, position = _header(body, position, "an item's header")
        start, position = _payload(body, position, header.get("length"))
        yield Item(_text(header, "type"), memoryview(body)[start:position])


def _header(body: bytes | bytearray, start: int, what: str) -> tuple[dict[str, Any], int]:
    """The object in a line, and where the next line begins."""
    end = _line_end(body, start)
    if end - start > LONGEST_HEADER:
        raise MalformedEnvelopeError(f"{what} is longer than {LONGEST_HEADER} bytes")
    try:
        found = orjson.loads(body[start:end])
    except orjson.JSONDecodeError as error:
        raise MalformedEnvelopeError(f"{what} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise MalformedEnvelopeError(f"{what} is not a JSON object")
    return found, end + 1


def _payload(body: bytes | bytearray, start: int, length: Any) -> tuple[int, int]:
    """Where a payload begins and ends: with a length after exactly that many bytes, which may hold
    newlines; without one at the end of the line.
    """
    if length is None:
        return min(start, len(body)), _line_end(body, start)
    if not isinstance(length, int) or isinstance(length, bool) or length < 0:
        raise MalformedEnvelopeError("an item's length is not a number of bytes")
    if start + length > len(body):
        raise MalformedEnvelopeError(
            f"an item says that it has {length} bytes; {max(0, len(body) - start)} are there"
        )
    return start, start + length


def _after_empty_lines(body: bytes | bytearray, start: int) -> int:
    """In one step, however many there are."""
    match = _NEWLINES.match(body, start)
    return match.end() if match else start


def _line_end(body: bytes | bytearray, start: int) -> int:
    end = body.find(b"\n", start)
    return len(body) if end < 0 else end


def _text(header: dict[str, Any], name: str) -> str:
    value = header.get(name)
    return value if isinstance(value, str) else ""
