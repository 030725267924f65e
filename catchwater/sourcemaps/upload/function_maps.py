"""The functions that Metro, React Native's bundler, writes into its maps (`x_facebook_sources`):
those maps often have no text of their sources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catchwater.sourcemaps.function_index import LINE, FunctionTable
from catchwater.sourcemaps.upload.document import numbered
from catchwater.sourcemaps.upload.repair import values

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 8 * 2**20
"""Characters of all mappings of a map that are read, at about 2 MB a second."""

LONGEST_NAME = 200
"""Characters of a name that are stored."""

_UNNAMED = ("<global>", "<anonymous>")


def function_maps(document: dict[str, Any], names: list[str]) -> dict[int, FunctionTable]:
    """Those of a map, or of its sections, by the number of the source in `names`, which are the
    sources as the parser has them. One that cannot be read is left out.
    """
    found: dict[int, FunctionTable] = {}
    left = LONGEST
    for number, source in _sources(document, names):
        mappings = "" if number in found else _mappings(source)
        left -= len(mappings)
        if mappings and left >= 0 and (table := _table(source[0], mappings)):
            found[number] = table
    return found


def _sources(document: dict[str, Any], names: list[str]) -> Iterator[tuple[int, Any]]:
    for one, numbers in numbered(document, names):
        told = one.get("x_facebook_sources")
        for number, source in zip(numbers, told if isinstance(told, list) else (), strict=False):
            if number is not None:
                yield number, source


def _mappings(source: Any) -> str:
    one = source[0] if isinstance(source, list) and source else None
    mappings = one.get("mappings") if isinstance(one, dict) else None
    return mappings if isinstance(mappings, str) else ""


def _table(one: dict[str, Any], mappings: str) -> FunctionTable | None:
    try:
        return FunctionTable.of(_starts(one["names"], mappings))
    except (ValueError, KeyError, IndexError, TypeError, OverflowError, AttributeError):
        return None


def _starts(names: list[str], mappings: str) -> Iterator[tuple[int, str]]:
    """A mapping is the column, the name and the line, as distances; the line only where it is
    another. Raises ValueError where one is before the last.
    """
    line = name = last = 0
    for of_line in mappings.split(";"):
        column = 0
        for mapping in of_line.split(","):
            by_column, by_name, by_line = [*values(mapping), 0][:3]
            line, name, column = line + by_line, name + by_name, column + by_column
            start = line * LINE + column
            if not (0 <= column < LINE and name >= 0 and last <= start < 2**63):
                raise ValueError(f"a function begins at line {line}, column {column}")
            last = start
            yield start, _plain(names[name])


def _plain(name: str) -> str:
    """`Cart#total` as `Cart.total`, as in all other frames."""
    return "" if name in _UNNAMED else name[:LONGEST_NAME].replace("#", ".")
