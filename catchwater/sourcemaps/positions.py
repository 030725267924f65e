"""One source map, parsed: from a position of the script to the place that was written.

By `symbolic`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from symbolic.exceptions import SymbolicError
from symbolic.sourcemap import SourceMapTokenMatch, SourceMapView, SourceView

from catchwater.errors import InvalidSourceMapError
from catchwater.sourcemaps.lru import LruCache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catchwater.sourcemaps.function_index import FunctionIndex

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

UNREADABLE = "its source cannot be parsed"
NO_INDEX = "its map has to be uploaded again: functions are read off sources then"

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
    ignored: bool = False


Places = LruCache[tuple[Place | None]]
"""Places that were asked for."""


class Map:
    """A map. `weight` is about what it takes in memory, in bytes."""

    def __init__(
        self, raw: bytes, index: FunctionIndex | None = None, places: Places | None = None
    ) -> None:
        """`index`: the functions of its sources. Many maps may share their `places`.

        Raises InvalidSourceMapError.
        """
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
        self._index = index
        self.weight = weight(len(raw), self.mappings, texts) + (index.weight if index else 0)
        self._places = places if places is not None else LruCache(PLACES)
        self._key = secrets.token_hex(8)

    @property
    def has_sources(self) -> bool:
        """Whether any source's text is in the map."""
        return any(
            self._view.get_sourceview(at) is not None
            for at in range(min(self._view.source_count, 1000))
        )

    def sources(self) -> Iterator[tuple[str, str | None]]:
        """The name and the text of each source, by its number; '' and None where it has none."""
        for number in range(self._view.source_count):
            view = self._view.get_sourceview(number)
            text = None if view is None else view.get_source()
            yield self._view.get_source_name(number) or "", text

    def place(self, line: int, column: int) -> Place | None:
        """The place that a position of the script, counted from 1, comes from; None if the map
        does not say.
        """
        key = (self._key, line, column)
        known = self._places.get(key)
        if known is None:
            known = (self._looked_up(line - 1, column - 1),)
            self._places.put(key, known)
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
            or token.src_id in (None, _NOTHING)
            or _NOTHING in (token.src_line, token.src_col)
        ):
            return None
        return token

    def _place_of(
        self, token: SourceMapTokenMatch, source: SourceView | None, text: str | None
    ) -> Place:
        at, name = token.src_line, (token.name or "")[:200]
        file, column = (token.src or f"source {token.src_id}")[:2048], token.src_col + 1
        if source is None or text is None:
            ignored = self._is_ignored(token)
            function, _ = self._function_at(token, token.src_col)
            return Place(file, at + 1, column, function, name, [], None, [], ignored=ignored)
        pre = [_cut(source[n]) for n in range(max(0, at - AROUND), at)]
        post = [_cut(source[n]) for n in range(at + 1, min(len(source), at + 1 + AROUND))]
        before = len(_before(text, token.src_col).encode())
        function, unnamed = self._function_at(token, before)
        line, ignored = _cut(text, token.src_col), self._is_ignored(token)
        return Place(file, at + 1, column, function, name, pre, line, post, unnamed, ignored)

    def _function_at(self, token: SourceMapTokenMatch, column: int) -> tuple[str | None, str]:
        """The function, None if nobody can tell; and then why, unless that is as it should be."""
        if self._index is None:
            return None, NO_INDEX
        table = self._index.table(token.src_id or 0)
        return (None, UNREADABLE) if table is None else (table.at(token.src_line, column), "")

    def _is_ignored(self, token: SourceMapTokenMatch) -> bool:
        return self._index is not None and token.src in self._index.ignored


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
