"""What is read off a map once, when it is uploaded, so that no event waits for it: the functions of
its sources, and which sources it says are not the project's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catchwater.errors import SourceUnreadableError
from catchwater.sourcemaps.function_index import FunctionIndex, FunctionTable
from catchwater.sourcemaps.upload.document import numbered
from catchwater.sourcemaps.upload.function_maps import function_maps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catchwater.sourcemaps.parsed_map import ParsedMap
    from catchwater.sourcemaps.scope_reader import ScopeReader

FIRST_S = 5.0
EACH_CHARACTER_S = 1e-6
"""Seconds of CPU that all sources of a map may take together: real ones take 0.15 for each MB. What
comes after them has no names.
"""

MOST_UNREADABLE = 3
"""Sources of a map that may cost their parser its life, before no other one is tried."""

_IGNORED = ("ignoreList", "x_google_ignoreList")


def functions_of(document: dict[str, Any], one: ParsedMap, reader: ScopeReader) -> FunctionIndex:
    """Of all sources of a map. `document`: its JSON.

    Raises SourceUnreadableError where the parser cannot be started.
    """
    sources = list(one.sources())
    names = [name for name, _ in sources]
    tables, written = _tables(sources, reader), function_maps(document, names)
    for number, table in written.items():
        if number < len(tables) and tables[number] is None:
            tables[number] = table
    return FunctionIndex(tables, frozenset(ignored_sources(document, names)))


def _tables(
    sources: list[tuple[str, str | None]], reader: ScopeReader
) -> list[FunctionTable | None]:
    tables: list[FunctionTable | None] = []
    deaths, length = 0, sum(len(text) for _, text in sources if text is not None)
    most = reader.spent + FIRST_S + EACH_CHARACTER_S * length
    for name, text in sources:
        table = None
        if text is not None and deaths < MOST_UNREADABLE and reader.spent < most:
            try:
                table = reader.read(text.encode("utf-8", "replace"), name)
            except SourceUnreadableError as error:
                if not error.of_source:
                    raise
                deaths += 1
        tables.append(table)
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
