"""The words of an issue, which an index finds it by, and what a search asks of that index. Pure.

The index only narrows. For a word that few issues have, a search is among those; for others, issues
are compared with the text in the order of the list, which soon finds enough of them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Condition = dict[str, Any]

SEARCHED = ("type", "message", "culprit", "places")

MOST = 150
"""Words of one issue in the index."""

LONGEST = 40
"""Characters of a word there; the text is compared with what is longer."""

ALL = "*"
"""Stands among the words of an issue that has more of them, or letters that form no words as ours
do: every search looks at it.
"""

_RUN = re.compile(r"[a-z0-9]+", re.IGNORECASE)
_BEGIN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-z])(?=[0-9])")


def words_of(issue: Mapping[str, Any]) -> list[str]:
    """Each word in lower case, and of `onClickHandler` also what begins within it."""
    texts = [str(issue.get(name) or "") for name in SEARCHED]
    found: set[str] = set()
    for run in set(_RUN.findall("\n".join(texts))):
        found.update(_remembered(run) if len(run) <= LONGEST else _words_of_run(run))
        if len(found) > MOST:
            return [ALL]
    return sorted(found | ({ALL} if not all(map(str.isascii, texts)) else set()))


def _words_of_run(run: str) -> tuple[str, ...]:
    """Of letters and digits only."""
    begins = [0, *(one.start() for one in _BEGIN.finditer(run))]
    return tuple(run[at : at + LONGEST].lower() for at in begins)


_remembered = lru_cache(maxsize=4_096)(_words_of_run)
"""A site's issues have most of their words in common; each takes some 300 bytes."""


def conditions(text: str) -> list[Condition]:
    """What the words of an issue fulfil that has `text` in it, beginning where a word begins.

    The longest word, which few others have, comes first. None for a text with letters of which this
    is not known.
    """
    if not text.isascii():
        return []
    runs = sorted(_RUN.finditer(text), key=lambda run: len(run[0]), reverse=True)
    return [_has(run, text) for run in runs]


def _has(run: re.Match[str], text: str) -> Condition:
    """The last word may go on after the end of the text, and so may one that is cut."""
    word = run[0].lower()
    goes_on = run.end() == len(text) or len(word) >= LONGEST
    asked = _prefix(word[:LONGEST]) if goes_on else word
    return {"words": {"$in": [asked, ALL]}}


def _prefix(word: str) -> re.Pattern[str]:
    """Python's flag UNICODE would go to MongoDB, which then looks at the whole index."""
    return re.compile(f"^{word}", re.ASCII)
