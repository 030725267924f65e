"""Finds the row of engine_messages that a message fits, in time linear in the message."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from stages.grouping.engine_messages import Row, rows
from stages.grouping.functions import is_minified

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHORT, _LONG = 3, 10  # characters of a text that the table is indexed by
_HOLE = re.compile(r"\{(\w+)\}")
_NAME = re.compile(r"(?<![\w$#])[\w$#]+\Z")
_ASSIGNMENT = re.compile(r"[^=!<>]=(?![=>])")
_IDENTIFIER = re.compile(r"[A-Za-z_$#\u0080-\uffff][\w$-]*\Z")
_WRITTEN_KEY = re.compile(r"""\[(["'`])([^"'`\]]{1,80})\1\]\Z""")
_ID = re.compile(r"[0-9]{5}|[0-9a-f]{16}|[0-9a-f]{8}-[0-9a-f]{4}-", re.IGNORECASE)
_NOTHING = frozenset({"undefined", "null", "true", "false", "NaN"})
_BRACKET = re.compile(r"([()\[\]])")
_END = 200  # characters of an expression
_OPENING, _CLOSING = frozenset("(["), frozenset(")]")


class Pattern(NamedTuple):
    """A text of the table: the literal pieces, and the names of the holes between them."""

    order: int
    longest: str  # piece: a message without it need not be looked at
    row: Row
    pieces: tuple[str, ...]
    holes: tuple[str, ...]


class Match(NamedTuple):
    """A row, and its canonical form with the values filled in."""

    row: Row
    canonical: str


class Matcher:
    """The table as one version of the fingerprint knows it."""

    def __init__(self, version: int) -> None:
        self._by_start: dict[str, list[Pattern]] = defaultdict(list)
        self._by_end: dict[str, list[Pattern]] = defaultdict(list)  # texts that begin with a hole
        self._open: list[Pattern] = []  # that end with one, too
        for pattern in _patterns(rows(version)):
            start, end = pattern.pieces[0], pattern.pieces[-1]
            if len(start) >= _SHORT:
                self._by_start[start[: _LONG if len(start) >= _LONG else _SHORT]].append(pattern)
            else:
                (self._by_end[end[-_SHORT:]] if len(end) >= _SHORT else self._open).append(pattern)
        self._candidates = lru_cache(maxsize=1024)(self._fitting)

    def _fitting(self, start: str, end: str) -> list[Pattern]:
        """What may fit a message that starts and ends so, in the table's order."""
        started = (*self._by_start.get(start, ()), *self._by_start.get(start[:_SHORT], ()))
        return sorted((*started, *self._by_end.get(end, ()), *self._open))

    def find(self, message: str) -> Match | None:
        """The first row that fits `message` whole."""
        for pattern in self._candidates(message[:_LONG], message[-_SHORT:]):
            values = _fit(pattern, message) if pattern.longest in message else None
            if values is not None:
                return Match(pattern.row, _filled(pattern.row.canonical, values))
        return None


def _fit(pattern: Pattern, message: str) -> dict[str, str] | None:
    pieces, values = pattern.pieces, {}
    if not (message.startswith(pieces[0]) and message.endswith(pieces[-1])):
        return None
    if not pattern.holes:
        return {} if message == pieces[0] else None
    at, end = len(pieces[0]), len(message) - len(pieces[-1])
    for hole, piece in zip(pattern.holes[:-1], pieces[1:-1], strict=True):
        found = message.find(piece, at, end)
        if found < 0:
            return None
        values[hole] = message[at:found]
        at = found + len(piece)
    if at > end:
        return None
    values[pattern.holes[-1]] = message[at:end]
    return values if _plausible(values) else None


def _plausible(values: dict[str, str]) -> bool:
    """A name is one word: else `{name} is not defined` would fit half the sentences there are."""
    name = values.get("name", "x")
    long = len(values.get("property", "x")) > 200
    return bool(name) and len(name) <= 200 and not long and not any(map(str.isspace, name))


def _filled(canonical: str, values: dict[str, str]) -> str:
    if "{" not in canonical:
        return canonical
    value = values.get("property") or values.get("name")
    if value is None:
        value = _last_member(values.get("member", ""))
    if not value or (canonical.startswith("property") and _is_key(value)):
        value = "*"
    return _HOLE.sub(lambda _: value, canonical)


def _is_key(text: str) -> bool:
    """A key that the page computed, not a name that somebody wrote: a number, an id, words."""
    return bool(_ID.search(text)) or not _IDENTIFIER.match(text)


def _last_member(expression: str) -> str:
    """`a.b.c = 1` is `c`, `new a.b(c)` is `b`. `*` where engines do not agree: what a call gave, a
    computed key, a value, a lone name of a minifier.
    """
    written = _WRITTEN_KEY.search(expression)
    if written:
        return "*" if _is_key(written[2]) else written[2]
    outer = _outside_brackets(expression)
    assignment = _ASSIGNMENT.search(outer)
    if assignment:
        outer = outer[: assignment.start() + 1]
    outer = outer.strip()
    if outer.startswith(("new ", "new(")):
        outer = outer[3:].lstrip().removesuffix("()")
    found = _NAME.search(outer)
    if found is None:
        return "*"
    if found.start():
        return found[0]
    return "*" if is_minified(found[0]) or found[0] in _NOTHING else found[0]


def _outside_brackets(expression: str) -> str:
    """`a.b(c[1], d)[e]` is `a.b()[]`; of a long one, the end is read."""
    depth = 0
    kept: list[str] = []
    for piece in _BRACKET.split(expression[-_END:]):
        if piece in _CLOSING:
            kept = kept if depth else []  # it was opened before the end begins
            depth = max(depth - 1, 0)
        if not depth:
            kept.append(piece)
        depth += piece in _OPENING
    return "".join(kept)


def _patterns(table: Sequence[Row]) -> list[Pattern]:
    texts = [
        (row, text) for row in table for given in row.texts for text in _without_nothing(given)
    ]
    return [_pattern(order, row, text) for order, (row, text) in enumerate(texts)]


def _pattern(order: int, row: Row, text: str) -> Pattern:
    pieces = tuple(_HOLE.split(text)[::2])
    return Pattern(order, max(pieces, key=len), row, pieces, tuple(_HOLE.findall(text)))


def _without_nothing(text: str) -> list[str]:
    return (
        [text.replace("{nothing}", word) for word in ("null", "undefined")]
        if "{nothing}" in text
        else [text]
    )
