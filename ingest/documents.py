"""Checks the JSON of clients, so that no later reader meets a text it cannot parse.

Pure.
"""

from __future__ import annotations

import os
import re
from typing import Any

import orjson

from catchwater import surrogates
from catchwater.errors import EventTooLargeError, InvalidJsonError

MOST_VALUES = 50_000
"""Values in one document, as its commas and brackets say without reading it. A value costs up to
100 bytes of memory and a third of a microsecond, however short its text is.
"""

PATIENT_BYTES = 262_144
"""Bytes of a document with half a pair of surrogates: it takes ten times as long to read."""

_ID = re.compile(r"[0-9a-f]{32}")


def read(text: bytes) -> tuple[Any, bytes]:
    """The document in `text`, and its text as every later reader takes it.

    Raises InvalidJsonError, and EventTooLargeError for one that would take too long to read.

    A lone surrogate, which browsers do send, becomes U+FFFD: the event is worth more than half a
    character.
    """
    if (values := text.count(b",") + text.count(b"[") + text.count(b"{")) > MOST_VALUES:
        raise EventTooLargeError(f"{values} values in one document; {MOST_VALUES} are allowed")
    try:
        return orjson.loads(text), text
    except orjson.JSONDecodeError as error:
        if b"\\u" not in text:
            raise InvalidJsonError(str(error)) from error
    if len(text) > PATIENT_BYTES:
        raise InvalidJsonError(f"half a pair of surrogates in more than {PATIENT_BYTES} bytes")
    return _patient(text)


def _patient(text: bytes) -> tuple[Any, bytes]:
    """As Python reads it: half of a pair of surrogates is allowed.

    Read again by orjson, which bounds the depth.
    """
    try:
        clean = surrogates.replaced_in_json(text)
        return orjson.loads(clean), clean
    except (ValueError, RecursionError) as error:
        raise InvalidJsonError(str(error)[:200] or "nested too deep") from error


def as_bytes(document: Any) -> bytes:
    """JSON text for what `read` answered.

    Raises InvalidJsonError: orjson writes fewer levels than it reads.
    """
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        raise InvalidJsonError(f"nested too deep: {error}") from error


def event_id(*candidates: Any) -> str:
    """The first candidate that is an id (32 hex digits, with or without dashes), else a new one."""
    for one in candidates:
        if isinstance(one, str) and _ID.fullmatch(plain := one.replace("-", "").lower()):
            return plain
    return os.urandom(16).hex()
