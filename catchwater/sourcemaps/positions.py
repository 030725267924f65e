"""One source map, parsed: from a position of the script to the place that was written.

By `symbolic`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog
from symbolic.exceptions import SymbolicError
from symbolic.sourcemap import SourceMapTokenMatch, SourceMapView, SourceView

from catchwater.errors import InvalidSourceMapError, SourceUnreadableError
from catchwater.sourcemaps.lru import LruCache
from catchwater.sourcemaps.scope_reader import ScopeReader

log = structlog.get_logger()

LARGEST = 64 * 2**20
"""Bytes of a map that is still looked at, unpacked."""

AROUND = 2
"""Lines of source that are shown before and after the one."""

WIDTH = 160
"""Characters of a line of source that are stored."""

MEMORY_OF_TOKEN = 32
"""Bytes that a mapping takes once it is parsed. Measured."""

MEMORY_OF_TEXT = 64
"""Bytes that a name, a source or its text takes besides its characters. Measured."""

MOST_TEXTS = 2_000_000
"""Names, sources and texts of a map that is still looked at. 64 MB of empty ones would be 30
million, and take 2 GB.
"""

MOST_UNREADABLE = 3
"""Sources of a map that may cost their parser its life, before no other one is tried."""

UNREADABLE = "its source cannot be parsed"

PLACES = 4_000
"""Places that are remembered, about 1 KB each."""

_NOTHING = (
    2**32 - 1
)  # what symbolic says where a mapping names no source, or a place before the first


class Place(NamedTuple):
    """Where it was written. Line and column count from 1.

    `function` is the one around it: '' without a name, None if nobody can tell. `token` is the name
    that stands at the place itself: a function that is called there, a variable. `line_text` is
    None where the map has no source.
    """

    file: str
    line: int
    column: int
    function: str | None
    token: str
    pre: list[str]
    line_text: str | None
    post: list[str]
    unnamed: str = ""


@dataclass(slots=True)
class Memory:
    """What maps share: who reads functions off sources, and places that were asked for."""

    reader: ScopeReader = field(default_factory=ScopeReader)
    places: LruCache[tuple[Place | None]] = field(default_factory=lambda: LruCache(PLACES))


class Map:
    """A map. `weight` is about what it takes in memory, in bytes."""

    def __init__(self, raw: bytes, memory: Memory | None = None) -> None:
        """Raises InvalidSourceMapError. Many maps may share a memory."""
        if len(raw) > LARGEST:
            raise InvalidSourceMapError(f"{len(raw):,} bytes are more than {LARGEST:,}")
        texts = number_of_texts(raw)
        if texts > MOST_TEXTS:
            raise InvalidSourceMapError(f"{texts:,} names and sources are more than {MOST_TEXTS:,}")
        try:
            self._view = SourceMapView.from_json_bytes(raw.removeprefix(b"\xef\xbb\xbf"))
            self.mappings = len(self._view)
        except SymbolicError as error:
            why = str(error)[:200] or type(error).__name__
            error.__traceback__ = None  # a frame in it holds the bytes, and the error itself
            raise InvalidSourceMapError(f"not a source map: {why}") from None
        self.weight = weight(len(raw), self.mappings, texts)
        self._memory = memory or Memory()
        self._key = secrets.token_hex(8)
        self._unreadable: set[int] = set()

    @property
    def has_sources(self) -> bool:
        """Whether any source's text is in the map."""
        return any(
            self._view.get_sourceview(at) is not None
            for at in range(min(self._view.source_count, 1000))
        )

    def place(self, line: int, column: int) -> Place | None:
        """The place that a position of the script, counted from 1, comes from; None if the map
        does not say.
        """
        key = (self._key, line, column)
        known = self._memory.places.get(key)
        if known is None:
            known = (self._looked_up(line - 1, column - 1),)
            self._memory.places.put(key, known)
        return known[0]

    def _looked_up(self, line: int, column: int) -> Place | None:
        token = self._token(line, column)
        if token is None:
            return None
        source, text = self._source(token)
        if text is not None and text[token.src_col : token.src_col + 1] == "}":
            after = self._token(line, column + 1)  # WebKit points one to the left of where it calls
            if after is not None and after.dst_col == column + 1:
                token, (source, text) = after, self._source(after)
        return self._place_of(token, source, text)

    def _source(self, token: SourceMapTokenMatch) -> tuple[SourceView | None, str | None]:
        """The source that a mapping names, and its line there, as far as the map has them."""
        source = self._view.get_sourceview(token.src_id or 0)
        return source, source[token.src_line] if source is not None and token.src_line < len(
            source
        ) else None

    def _token(self, line: int, column: int) -> SourceMapTokenMatch | None:
        """The mapping that covers a position; one of another line does not, nor one that names
        no source.
        """
        if not (0 <= line < _NOTHING and 0 <= column < _NOTHING):
            return None
        token = self._view.lookup(line, column)
        if (
            token is None
            or token.dst_line != line
            or not token.src
            or _NOTHING in (token.src_line, token.src_col)
        ):
            return None
        return token

    def _place_of(
        self, token: SourceMapTokenMatch, source: SourceView | None, text: str | None
    ) -> Place:
        at, name = token.src_line, (token.name or "")[:200]
        file, column = str(token.src)[:2048], token.src_col + 1
        if source is None or text is None:
            return Place(file, at + 1, column, None, name, [], None, [])
        pre = [_cut(source[n]) for n in range(max(0, at - AROUND), at)]
        post = [_cut(source[n]) for n in range(at + 1, min(len(source), at + 1 + AROUND))]
        before = len(_before(text, token.src_col).encode())
        function = self._function_at(token, source, before)
        unnamed = UNREADABLE if function is None else ""
        line = _cut(text, token.src_col)
        return Place(file, at + 1, column, function, name, pre, line, post, unnamed)

    def _function_at(
        self, token: SourceMapTokenMatch, source: SourceView, column: int
    ) -> str | None:
        """None where the source cannot be read: then it is not tried again."""
        number = token.src_id or 0
        if number in self._unreadable or len(self._unreadable) >= MOST_UNREADABLE:
            return None
        typescript = str(token.src).partition("?")[0].endswith((".ts", ".mts", ".cts"))
        try:
            return self._memory.reader.function_at(
                f"{self._key} {number}",
                lambda: source.get_source().encode(),
                token.src_line,
                column,
                typescript=typescript,
            )
        except SourceUnreadableError as error:
            if error.of_source:
                self._unreadable.add(number)
            log.warning("a source cannot be parsed", source=str(token.src)[:200], why=str(error))
            return None


def number_of_texts(raw: bytes) -> int:
    """About how many strings a map's JSON holds; quotes within them are behind a backslash."""
    return (raw.count(b'"') - raw.count(b'\\"')) // 2


def weight(size: int, mappings: int, texts: int = 0) -> int:
    """About what a map of so many bytes, mappings and texts takes in memory."""
    return size + MEMORY_OF_TOKEN * mappings + MEMORY_OF_TEXT * texts


def _before(text: str, column: int) -> str:
    """`text` before a column, which maps count in UTF-16."""
    if text.isascii():
        return text[:column]
    return text.encode("utf-16-le", "replace")[: 2 * column].decode("utf-16-le", "ignore")


def _cut(text: str, column: int = 0) -> str:
    """A line of source without its end; of a long one the part around the column."""
    text = text.rstrip("\r\n")
    if len(text) <= WIDTH:
        return text
    start = max(0, min(column - WIDTH // 2, len(text) - WIDTH))
    return "…" * (start > 0) + text[start : start + WIDTH] + "…" * (start + WIDTH < len(text))
