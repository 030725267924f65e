"""What clients send as JSON: made sure of at the door, so that nothing behind it has to fear it. Pure."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import orjson

_ID = re.compile(r"[0-9a-f]{32}")
_SURROGATES = re.compile("[\ud800-\udfff]")


class NotJson(Exception):  # noqa: N818 - what it is
    """The text is not JSON, or nested too deep."""


def read(text: bytes) -> tuple[Any, bytes]:
    """The document in `text`, and its text as every later reader takes it. Raises NotJson.

    A lone surrogate, which browsers do send, becomes U+FFFD: the event is worth more than half a character.
    """
    try:
        return orjson.loads(text), text
    except orjson.JSONDecodeError as error:
        if b"\\u" not in text:
            raise NotJson(str(error)) from error
    return _patient(text)


def _patient(text: bytes) -> tuple[Any, bytes]:
    """As Python reads it: half of a pair of surrogates is allowed. Read again by orjson, which bounds the depth."""
    try:
        found = json.loads(text.decode("utf-8"))
        clean = _SURROGATES.sub("\ufffd", json.dumps(found, ensure_ascii=False, allow_nan=False)).encode()
        return orjson.loads(clean), clean
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)[:200] or "nested too deep") from error


def as_bytes(document: Any) -> bytes:
    """JSON text for what `read` answered. Raises NotJson: orjson writes fewer levels than it reads."""
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        raise NotJson(f"nested too deep: {error}") from error


def whole(text: str) -> str:
    """`text` without half pairs: headers that are not UTF-8 come with them, and JSON cannot hold them."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def event_id(*candidates: Any) -> str:
    """The first candidate that is an id (32 hex digits, with or without dashes), else a new one."""
    for one in candidates:
        if isinstance(one, str) and _ID.fullmatch(plain := one.replace("-", "").lower()):
            return plain
    return os.urandom(16).hex()
