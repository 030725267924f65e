"""Takes what it can use out of a hostile document: right types, bounded sizes, and a list of
what was cut.

No function here raises, whatever the value.
"""

from __future__ import annotations

import re
from typing import Any

MESSAGE = 8192  # characters
STACK = 262_144  # characters of stack text that are parsed
TEXT = 2048  # an address, a name of a file
WORD = 200  # a type, a release, a tag
TAGS = 50
BREADCRUMBS = 50
VALUES = 200  # leaves in `extra` or in a breadcrumb's data
DEPTH = 6
BODY = 60_000  # bytes of a named body; above it the optional fields go, see fingerprint.py
FAR = 8_640_000_000_000_000  # ms: the last moment a JavaScript Date can hold

LEVELS = frozenset({"fatal", "error", "warning", "info", "debug"})
_SIMPLE = (int, float, bool, type(None))
_LEVEL_NAMES = {"warn": "warning", "log": "info", "critical": "fatal"}


_TAIL = 120
_PARTIAL = re.compile(r"(?:[0-9][0-9 .-]{0,40}|\S{1,80})\Z")


def _whole_words(text: str) -> str:
    """A text that was cut off, without the word that the cut went through: half an e-mail address
    or card number is not recognised as one any more, and would stay.
    """
    return text[:-_TAIL] + _PARTIAL.sub("", text[-_TAIL:])


class FieldReader:
    """Reads fields of one document; `cut` holds the names of those that were too long."""

    __slots__ = ("cut",)

    def __init__(self) -> None:
        self.cut: list[str] = []

    def text(self, value: Any, name: str, limit: int = WORD) -> str:
        """`value` as text: '' for what is not a string or a number."""
        if type(value) is str:
            return value if len(value) <= limit else self._shortened(value, name, limit)
        if value is None or isinstance(value, bool) or not isinstance(value, (int, float)):
            return ""
        return str(value)[:limit]

    def _shortened(self, value: str, name: str, limit: int) -> str:
        self.note(name)
        return _whole_words(value[:limit])

    def note(self, name: str) -> None:
        """`name` did not go through whole."""
        if name not in self.cut:
            self.cut.append(name)

    def words(self, value: Any, name: str, most: int = TAGS) -> dict[str, str]:
        """A flat mapping of names to short texts; pairs in a list, as Sentry sends tags, count
        too.
        """
        if isinstance(value, list):
            value = {pair[0]: pair[1] for pair in value if _is_pair(pair)}
        if not isinstance(value, dict) or not value:
            return {}
        if len(value) > most:
            self.note(name)
        taken: dict[str, str] = {}
        for key, one in list(value.items())[:most]:
            text = str(one).lower() if isinstance(one, bool) else self.text(one, name)
            if text:
                taken[str(key)[:WORD]] = text
        return taken

    def tree(self, value: Any, name: str) -> Any:
        """Any JSON value, with a bound on depth, on leaves and on each text."""
        return self._branch(value, name, DEPTH, [VALUES]) if value else value

    def _branch(self, value: Any, name: str, depth: int, left: list[int]) -> Any:
        left[0] -= 1
        if isinstance(value, str):
            return value if len(value) <= TEXT else self._shortened(value, name, TEXT)
        if not isinstance(value, (dict, list)) or not value:
            return value
        if depth == 0 or left[0] <= 0:
            self.note(name)
            return "{…}" if isinstance(value, dict) else "[…]"
        if isinstance(value, list):
            return [
                self._branch(one, name, depth - 1, left) for one in self._few(value, name, left)
            ]
        pairs = self._few(list(value.items()), name, left)
        return {
            key[:WORD]: one if _is_short(one) else self._branch(one, name, depth - 1, left)
            for key, one in pairs
        }

    def _few(self, values: list[Any], name: str, left: list[int]) -> list[Any]:
        if len(values) > left[0]:
            self.note(name)
        few = values[: max(left[0], 0)]
        left[0] -= len(few)
        return few


def _is_short(value: Any) -> bool:
    return type(value) in _SIMPLE or (type(value) is str and len(value) <= TEXT)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)


def mapping(value: Any) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any, most: int) -> list[Any]:
    """The first `most` values if it is an array, else none."""
    return value[:most] if isinstance(value, list) else []


def whole(value: Any, least: int = 0) -> int | None:
    """An integer between `least` and what a Date can hold; numbers written as text or with a
    fraction count.
    """
    if type(value) is int:
        return value if least <= value <= FAR else None
    if isinstance(value, str) and len(value) <= 20:
        value = _number(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= FAR:
        return None
    return int(value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def level(value: Any) -> str:
    """One of the five levels; `error` for anything else."""
    word = value.lower() if isinstance(value, str) and len(value) <= 20 else ""
    word = _LEVEL_NAMES.get(word, word)
    return word if word in LEVELS else "error"
