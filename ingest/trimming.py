"""Cuts an event that is too large to a size, where it is largest: half of a long list or text is
worth more than no event. Pure.
"""

from __future__ import annotations

from typing import Any

import orjson

from catchwater.errors import EventTooLargeError
from ingest import documents

ROUNDS = 100
"""Cuts until an event is given up: each halves what is largest, so a real one needs a few."""

WORK = 400_000
"""Values and hundreds of bytes that are gone through until an event is given up, 0.2 µs each. A
real event of a megabyte needs 50,000.
"""

SHORTEST = 200
"""Characters of a text that is not cut further."""

LARGE_PART = 0.5
"""The part of its holder from which on a value is cut, and not its holder."""

FEW = 4
"""Values of which none is left out: the largest of them is cut."""


def trim(document: dict[str, Any], limit: int) -> tuple[bytes, list[str]]:
    """The text of `document`, of `limit` bytes at most, and the names of the fields that were cut.

    Changes `document`. Raises EventTooLargeError when cutting does not help, and InvalidJsonError
    for one that is nested too deep.
    """
    cut: dict[str, None] = {}
    left = WORK
    for _ in range(ROUNDS):
        text = documents.as_bytes(document)
        if len(text) <= limit:
            return text, list(cut)
        if left < 0:
            break
        left -= text.count(b",") + len(text) // 100
        cut[_cut_largest(document, len(text) - limit)] = None
    raise EventTooLargeError(
        f"an event of {len(text)} bytes cannot be cut to {limit}: it has too many small parts"
    )


def _cut_largest(document: dict[str, Any], excess: int) -> str:
    """Make the largest part of the document smaller, by `excess` bytes at most, or by half of it.

    Returns the name of the field that it is in.
    """
    holder: Any = document
    key, size = _largest(document)
    field = key
    while isinstance(value := holder[key], dict | list) and value:
        inner, inner_size = _largest(value)
        if inner_size < LARGE_PART * size and len(value) > FEW:
            holder[key] = _half(value)
            return str(field)
        holder, key, size = value, inner, inner_size
    holder[key] = _shorter(value, excess)
    return str(field)


def _largest(holder: dict[str, Any] | list[Any]) -> tuple[Any, int]:
    """Key and size in bytes of the largest value."""
    items = holder.items() if isinstance(holder, dict) else enumerate(holder)
    key, value = max(items, key=lambda item: _size(item[1]))
    return key, _size(value)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(orjson.dumps(value))


def _half(value: Any) -> Any:
    """The first quarter and the last: of a stack as of a trail both ends say most."""
    quarter = max(1, len(value) // 4)
    if isinstance(value, dict):
        keys = list(value)
        return {key: value[key] for key in keys[:quarter] + keys[-quarter:]}
    return value[:quarter] + value[-quarter:]


def _shorter(value: Any, excess: int) -> Any:
    """A text without its end; nothing for what is no text."""
    if not isinstance(value, str):
        return None
    kept = max(len(value) - excess - 1, len(value) // 2)
    return value[:kept] + "…" if len(value) > SHORTEST else ""
