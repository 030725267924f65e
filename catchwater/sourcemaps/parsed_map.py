"""A source map, parsed by `symbolic`: what its index is made from, in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbolic.exceptions import SymbolicError
from symbolic.sourcemap import SourceMapView

from catchwater.errors import InvalidSourceMapError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbolic.sourcemap import SourceMapTokenMatch

MOST_TEXTS = 2_000_000
"""Names, sources and texts of a map that is still looked at. 64 MB of empty ones would be 30
million, and take 2 GB.
"""


MOST_MAPPINGS = 8_000_000
"""Mappings of one: a real map of 64 MB has 4 million."""


class ParsedMap:
    """A map. `mappings`: how many it has."""

    def __init__(self, raw: bytes) -> None:
        """Raises InvalidSourceMapError."""
        texts = (raw.count(b'"') - raw.count(b'\\"')) // 2  # about: quotes within are escaped
        if texts > MOST_TEXTS:
            raise InvalidSourceMapError(f"{texts:,} names and sources are more than {MOST_TEXTS:,}")
        try:
            self._view = SourceMapView.from_json_bytes(raw)
            self.mappings = len(self._view)
            if self.mappings > MOST_MAPPINGS:
                raise InvalidSourceMapError(
                    f"{self.mappings:,} mappings are more than {MOST_MAPPINGS:,}"
                )
        except SymbolicError as error:
            why = str(error)[:200] or type(error).__name__
            error.__traceback__ = None  # a frame in it holds the bytes, and the error itself
            raise InvalidSourceMapError(f"not a source map: {why}") from None

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

    def tokens(self) -> Iterator[SourceMapTokenMatch]:
        """Every mapping, in order of the script."""
        yield from self._view
