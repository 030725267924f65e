"""Makes the index of a map's places, once, at its upload."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

from catchwater.errors import InvalidSourceMapError
from catchwater.sourcemaps.place import LONGEST_FILE, LONGEST_NAME, WIDTH
from catchwater.sourcemaps.place_index import (
    AT_BRACE,
    IGNORED,
    LARGEST_DIRECTORY,
    LINE,
    NOTHING,
    PAGE,
    UNREAD,
    BlockWriter,
    Mapping,
    joined,
    packed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbolic.sourcemap import SourceMapTokenMatch

    from catchwater.sourcemaps.function_index import FunctionIndex, FunctionTable
    from catchwater.sourcemaps.parsed_map import ParsedMap

LARGEST_INDEX = 64 * 2**20
"""Bytes of all parts of an index. Of a real map it is about as large as the map, compressed."""

MOST_PAGES = 100_000
"""Pages of source: 6 million lines. What is behind them is shown without its lines."""

NAMED = 5
"""Sources that are told by name."""

STEP = 40
"""Columns between the parts of a long line that are stored: one for each mapping of a minified
source would be fifty times its text.
"""

_LINE_END = re.compile("\r\n?|\n")


class _Source(NamedTuple):
    """A source as mappings need it. `lines` is empty where the map has no text of it."""

    name: str
    lines: list[str]
    first_row: int
    table: FunctionTable | None
    has_text: bool
    flags: int


def index_of_places(one: ParsedMap, functions: FunctionIndex) -> bytes:
    """Raises InvalidSourceMapError for a map whose index would be too large."""
    sources, pages = _sources(one, functions)
    keys, blocks, size = array("Q"), [], sum(map(len, pages))
    for block in _blocks(one, sources):
        keys.append(block.keys[0])
        blocks.append(block.packed())
        size += len(blocks[-1])
        if size > LARGEST_INDEX or 12 * len(blocks) > LARGEST_DIRECTORY // 2:
            raise InvalidSourceMapError(f"its index would have more than {LARGEST_INDEX:,} bytes")
    return joined(_facts(sources), keys, blocks, pages)


def _sources(one: ParsedMap, functions: FunctionIndex) -> tuple[list[_Source], list[bytes]]:
    sources: list[_Source] = []
    pages: list[bytes] = []
    for number, (name, text) in enumerate(one.sources()):
        lines = _LINE_END.split(text) if text is not None else []
        first = PAGE * len(pages)
        # One line more than there are: what is behind the last one is never the next source's.
        few = lines if len(pages) + len(lines) // PAGE < MOST_PAGES else []
        if few:
            pages += [_page(few[at : at + PAGE]) for at in range(0, len(few) + 1, PAGE)]
        flags = IGNORED if name in functions.ignored else 0
        row = first if few else NOTHING
        table, file = functions.table(number), (name or f"source {number}")[:LONGEST_FILE]
        sources.append(_Source(file, lines, row, table, text is not None, flags))
    return sources, pages


def _page(lines: list[str]) -> bytes:
    return packed("".join(f"{cut(line)}\n" for line in lines).encode("utf-8", "replace"))


def _blocks(one: ParsedMap, sources: list[_Source]) -> Iterator[BlockWriter]:
    block = BlockWriter()
    for key, token in _in_order(one):
        if block.is_full:
            yield block
            block = BlockWriter()
        block.add(key, _mapping(block, token, sources))
    if block.keys:
        yield block


def _in_order(one: ParsedMap) -> Iterator[tuple[int, SourceMapTokenMatch]]:
    """Every mapping and where it begins. Of several at one position the first is of that position,
    and the last of those behind it, as `symbolic` has it.
    """
    waiting: tuple[int, SourceMapTokenMatch] | None = None
    last = -1
    for token in one.tokens():
        key = token.dst_line * LINE + token.dst_col
        if key == last:
            waiting = (key + 1, token)
            continue
        if waiting is not None and waiting[0] < key:
            yield waiting
        waiting, last = None, key
        yield key, token
    if waiting is not None:
        yield waiting


def _mapping(
    block: BlockWriter, token: SourceMapTokenMatch, sources: list[_Source]
) -> Mapping | None:
    number = token.src_id
    if number is None or number >= len(sources) or NOTHING in (token.src_line, token.src_col):
        return None
    source, row, column = sources[number], token.src_line, token.src_col
    text = source.lines[row] if row < len(source.lines) else None
    name = block.number(token.name[:LONGEST_NAME]) if token.name else NOTHING
    flags, window, at = source.flags, NOTHING, column
    if text is not None:
        flags |= AT_BRACE if text[column : column + 1] == "}" else 0
        if len(text) > WIDTH:
            window = block.number(cut(text, column - column % STEP))
        at = len(text[:column]) if text.isascii() else len(_before(text, column).encode())
    function = _function(block, source, row, at)
    shown = NOTHING if text is None or source.first_row == NOTHING else source.first_row + row
    file = block.number(source.name)
    return Mapping(file, row, column, name, function, window, shown, flags)


def _function(block: BlockWriter, source: _Source, row: int, column: int) -> int:
    if source.table is None:
        return UNREAD if source.has_text else NOTHING
    found = source.table.at(row, column)
    return NOTHING if found is None else block.number(found)


def _facts(sources: list[_Source]) -> dict[str, Any]:
    """What `explain` says of the whole map."""
    without = [one.name for one in sources if not one.has_text]
    unread = [one.name for one in sources if one.has_text and one.table is None]
    return {
        "sources": len(sources),
        "without": [len(without), without[:NAMED]],
        "unread": [len(unread), unread[:NAMED]],
    }


def _before(text: str, column: int) -> str:
    """`text` before a column, which maps count in UTF-16."""
    return text.encode("utf-16-le", "replace")[: 2 * column].decode("utf-16-le", "ignore")


def cut(text: str, column: int = 0) -> str:
    """A line of source; of a long one the part around the column."""
    if len(text) <= WIDTH:
        return text
    start = max(0, min(column - WIDTH // 2, len(text) - WIDTH))
    return "…" * (start > 0) + text[start : start + WIDTH] + "…" * (start + WIDTH < len(text))
