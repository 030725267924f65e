"""From positions of a script to places of its source, by the index of its map."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple, Protocol

from catchwater.errors import InvalidSourceMapError
from catchwater.sourcemaps.lru import LruCache
from catchwater.sourcemaps.place import AROUND, NO_MAPPING, NOT_PARSABLE, UNREADABLE, Place
from catchwater.sourcemaps.place_index import AT_BRACE, IGNORED, LINE, NOTHING, PAGE, UNREAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from catchwater.sourcemaps import place_index
    from catchwater.sourcemaps.place_index import Block, Directory

Places = LruCache[Place | str]
"""Places that were asked for."""

_Rows = dict[int, str]


class Parts(Protocol):
    """Where the parts of an index are read."""

    def blocks(self, numbers: Iterable[int]) -> Mapping[int, Block]:
        """Raises UnavailableError, and InvalidSourceMapError where they are gone or damaged."""
        ...

    def pages(self, numbers: Iterable[int]) -> Mapping[int, list[str]]:
        """Lines of source. The same."""
        ...


class _Found(NamedTuple):
    """A mapping, and the block that has its texts."""

    begins: int
    mapping: place_index.Mapping
    block: Block


class Map:
    """A map, as far as an event needs it."""

    def __init__(self, directory: Directory, parts: Parts, places: Places) -> None:
        """Many maps may share their `places`."""
        self.facts = directory.facts
        self._directory = directory
        self._parts = parts
        self._places = places
        self._id = secrets.token_hex(8)

    def places(self, positions: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Place | str]:
        """The places that positions of the script, counted from 1, come from, or why there is none.

        Raises UnavailableError while what was not read before cannot be read.
        """
        found = {one: self._places.get((self._id, *one)) for one in positions}
        missing = [one for one, place in found.items() if place is None]
        try:
            looked_up = self._looked_up(missing)
        except InvalidSourceMapError:  # expired while it was used, or damaged
            return {one: place or NOT_PARSABLE for one, place in found.items()}
        for one, place in zip(missing, looked_up, strict=True):
            found[one] = place
            self._places.put((self._id, *one), place)
        return {one: place or NO_MAPPING for one, place in found.items()}

    def _looked_up(self, positions: Sequence[tuple[int, int]]) -> list[Place | str]:
        """Reads the blocks that it needs at once, and then the pages."""
        keys = [_key(line - 1, column - 1) for line, column in positions]
        found = self._covering(keys)
        # WebKit points one to the left of where it calls.
        braces = [
            key + 1
            if key is not None and one is not None and one.mapping.flags & AT_BRACE
            else None
            for key, one in zip(keys, found, strict=True)
        ]
        if any(braces):
            behind = self._covering(braces)
            found = [
                after if after is not None and after.begins == brace else one
                for one, after, brace in zip(found, behind, braces, strict=True)
            ]
        rows = self._rows([one.mapping for one in found if one is not None])
        return [NO_MAPPING if one is None else _place(one, rows) for one in found]

    def _covering(self, keys: Sequence[int | None]) -> list[_Found | None]:
        numbers = [None if key is None else self._directory.block_of(key) for key in keys]
        blocks = self._parts.blocks({one for one in numbers if one is not None})
        found: list[_Found | None] = []
        for key, number in zip(keys, numbers, strict=True):
            covering = None if key is None or number is None else blocks[number].covering(key)
            found.append(None if covering is None else _Found(*covering, blocks[number or 0]))
        return found

    def _rows(self, mappings: Sequence[place_index.Mapping]) -> _Rows:
        """The lines of source around mappings, by their rows."""
        wanted = {row for one in mappings for row in _around(one)}
        numbers = {self._directory.page_of(row) for row in wanted}
        pages = self._parts.pages(one for one in numbers if one < self._directory.parts)
        return {
            (number - self._directory.blocks) * PAGE + at: text
            for number, page in pages.items()
            for at, text in enumerate(page)
        }


def _key(line: int, column: int) -> int | None:
    return line * LINE + column if 0 <= line < NOTHING and 0 <= column < NOTHING else None


def _around(one: place_index.Mapping) -> range:
    if one.row == NOTHING:
        return range(0)
    return range(one.row - min(AROUND, one.line), one.row + AROUND + 1)


def _place(found: _Found, rows: _Rows) -> Place:
    _, one, block = found
    around = _around(one)
    line = rows.get(one.row) if around else None
    pre = [rows[row] for row in around if row < one.row and row in rows]
    post: list[str] = []
    for row in range(one.row + 1, around.stop):
        if row not in rows:
            break  # the source ends here, and behind it is another one
        post.append(rows[row])
    function = None if one.function >= UNREAD else block.text(one.function)
    return Place(
        block.text(one.file),
        one.line + 1,
        one.column + 1,
        function,
        block.text(one.name),
        pre,
        line if one.window == NOTHING else block.text(one.window),
        post,
        UNREADABLE if one.function == UNREAD else "",
        bool(one.flags & IGNORED),
    )
