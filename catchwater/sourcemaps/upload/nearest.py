"""Which of several files a path means, where it begins elsewhere than they do."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEPTH = 6
"""Parts at the end of a path that are compared: 20,000 paths of one name cost no more."""

TOLD = 3
"""Files that are told where several may be meant."""


class Ends:
    """Files by each end of their paths, in whole parts."""

    def __init__(self, files: Iterable[str]) -> None:
        self._files: defaultdict[str, list[str]] = defaultdict(list)
        for file in files:
            for end in ends_of(file):
                if len(self._files[end]) < TOLD:
                    self._files[end].append(file)

    def nearest(self, path: str) -> list[str]:
        """Those that share the longest end with a path: several if they share the same, none if
        none has its name.
        """
        return next((self._files[end] for end in ends_of(path) if end in self._files), [])


def ends_of(path: str) -> Iterator[str]:
    """The last `DEPTH` parts of a path, the last one less, and so on."""
    parts = path.rsplit("/", DEPTH)[-DEPTH:]
    return ("/".join(parts[at:]) for at in range(len(parts)))
