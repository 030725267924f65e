"""What is read off a map once, when it is uploaded, so that no event waits for it: the functions of
its sources, and which sources it says are not the project's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from catchwater.errors import SourceUnreadableError
from catchwater.sourcemaps.function_index import FunctionIndex, FunctionTable
from catchwater.sourcemaps.positions import Map
from catchwater.sourcemaps.upload.document import document_of, numbered
from catchwater.sourcemaps.upload.function_maps import function_maps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catchwater.sourcemaps.scope_reader import ScopeReader

log = structlog.get_logger()

HEAVIEST = 8 * 2**20
"""Bytes of memory that the functions of a map may take, or a stage would wait for its index. A MB
of real source takes 0.3 MB.
"""

MOST_UNREADABLE = 3
"""Sources of a map that may cost their parser its life, before no other one is tried."""

_IGNORED = ("ignoreList", "x_google_ignoreList")


def index_of(raw: bytes, reader: ScopeReader) -> FunctionIndex:
    """The index of a map.

    Raises InvalidSourceMapError, and SourceUnreadableError where the parser cannot be started.
    """
    sources = list(Map(raw).sources())
    names = [name for name, _ in sources]
    document = document_of(raw)
    tables, written = _tables(sources, reader), function_maps(document, names)
    left = HEAVIEST - sum(one.weight for one in tables if one)
    for number, table in written.items():
        if number < len(tables) and tables[number] is None and table.weight <= left:
            tables[number], left = table, left - table.weight
    return FunctionIndex(tables, frozenset(ignored_sources(document, names)))


def _tables(
    sources: list[tuple[str, str | None]], reader: ScopeReader
) -> list[FunctionTable | None]:
    tables: list[FunctionTable | None] = []
    deaths, left = 0, HEAVIEST
    for name, text in sources:
        table = None
        if text is not None and deaths < MOST_UNREADABLE and left > 0:
            try:
                table = reader.read(text.encode("utf-8", "replace"), name)
            except SourceUnreadableError as error:
                if not error.of_source:
                    raise
                deaths += 1
                log.warning("a source cannot be parsed", source=name[:200], why=str(error))
        left -= table.weight if table else 0
        tables.append(table if left >= 0 else None)
    return tables


def ignored_sources(document: dict[str, Any], names: list[str]) -> Iterator[str]:
    """Those of the sources that the map, or a section of it, says a debugger should pass over.
    `names` are all of them, as frames have them.
    """
    for one, numbers in numbered(document, names):
        for own in _numbers(one):
            number = numbers[own] if own < len(numbers) else None
            if number is not None:
                yield names[number]


def _numbers(document: dict[str, Any]) -> set[int]:
    lists = [document.get(name) for name in _IGNORED]
    found = [one for numbers in lists if isinstance(numbers, list) for one in numbers]
    return {one for one in found if type(one) is int and one >= 0}
