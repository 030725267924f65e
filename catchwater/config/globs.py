"""Patterns that people write:

`*` stands for any text, everything else for itself, in upper or lower case.

Globs and not regular expressions: they are matched piece by piece in one pass, so no pattern in a
configuration and no text from a browser can make a match slow.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field

LONGEST = 300
"""Characters of one glob."""


def _says_something(glob: str) -> str:
    if not glob.strip("* "):
        raise ValueError("this would match everything: write some of the text, such as *googletag*")
    return glob


Glob = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_says_something)]


def matches(glob: str, text: str) -> bool:
    """Whether `glob` describes the whole `text`. Linear in its length; never raises."""
    head, *rest = _pieces(glob)
    text = text.lower()
    if not rest:
        return text == head
    *middle, tail = rest
    if len(text) < len(head) + len(tail) or not (text.startswith(head) and text.endswith(tail)):
        return False
    at, end = len(head), len(text) - len(tail)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def any_matches(globs: tuple[str, ...] | list[str], *texts: str) -> bool:
    """Whether one of the globs describes one of the texts."""
    return any(matches(glob, text) for glob in globs for text in texts)


@lru_cache(maxsize=4096)
def _pieces(glob: str) -> tuple[str, ...]:
    """What stands between the stars."""
    return tuple(glob.lower().split("*"))
