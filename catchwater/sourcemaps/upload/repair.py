"""A map some of whose mappings name a source or a name that it does not have: a few builds make
such. ECMA-426 lets a reader pass over them; the parser refuses the whole map.
"""

from __future__ import annotations

from typing import Any

import orjson

LONGEST = 16 * 2**20
"""Characters of mappings that are gone through, at about 2 MB a second."""

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}


def without_bad_references(raw: bytes) -> bytes | None:
    """The map without those mappings; their places in the script say that they come from nowhere.

    None for what is no map with mappings that can be read.
    """
    try:
        document = orjson.loads(raw)
        _repair(document)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return orjson.dumps(document)


def _repair(document: dict[str, Any]) -> None:
    for section in document.get("sections") or ():
        _repair(section["map"])
    if (mappings := document.get("mappings")) is not None:
        if len(mappings) > LONGEST:
            raise ValueError(f"{len(mappings):,} characters of mappings")
        counts = len(document.get("sources") or ()), len(document.get("names") or ())
        document["mappings"] = _Mappings(*counts).repaired(mappings)


class _Mappings:
    """A mapping has one, four or five numbers: the column; source, line and column there; a name.
    Each is told as its distance from the last one, so what is left out moves what comes after it.
    """

    def __init__(self, sources: int, names: int) -> None:
        self._sources = sources
        self._names = names
        self._read = [0, 0, 0, 0]
        self._written = [0, 0, 0, 0]

    def repaired(self, mappings: str) -> str:
        lines = mappings.split(";")
        return ";".join(",".join(map(self._one, line.split(","))) for line in lines)

    def _one(self, text: str) -> str:
        column, *rest = values(text) or [0]
        self._read = [was + by for was, by in zip(self._read, [*rest, 0, 0, 0, 0], strict=False)]
        source, line, at, name = self._read
        if not rest or not (0 <= source < self._sources and line >= 0 and at >= 0):
            return digits(column) if text else ""
        fields = 4 if len(rest) == 4 and 0 <= name < self._names else 3
        told = [now - was for now, was in zip(self._read, self._written, strict=True)][:fields]
        self._written[:fields] = self._read[:fields]
        return "".join(map(digits, [column, *told]))


def values(text: str) -> list[int]:
    """The numbers in base 64 digits of variable length. Raises KeyError for what are none."""
    found, value, shift = [], 0, 0
    for digit in text:
        bits = _VALUES[digit]
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            found.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    return found


def digits(value: int) -> str:
    """A number in such digits."""
    left, made = (-value << 1 | 1) if value < 0 else value << 1, ""
    while True:
        bits, left = left & 31, left >> 5
        made += _DIGITS[bits | 32 if left else bits]
        if not left:
            return made
