"""Which documents were written a moment ago, so that MongoDB need not be asked about them again.
Pure.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 20_000
"""Ids of a collection that are remembered; some 150 bytes each."""


class KnownDocuments:
    """It may be wrong: other sinks insert, and people erase. So whoever inserts must take it well
    that a document is there, and whoever updates that it is not.
    """

    def __init__(self) -> None:
        self._ids: defaultdict[str, set[str]] = defaultdict(set)
        """By collection."""

    def unknown(self, collection: str, ids: Iterable[str]) -> list[str]:
        """Those of the ids that are not known. From now on they are."""
        known = self._ids[collection]
        found = [one for one in ids if one not in known]
        if len(known) + len(found) > MOST:
            known.clear()
        known.update(found)
        return found
