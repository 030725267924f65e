"""What a position of a script becomes: the place that was written."""

from __future__ import annotations

from typing import NamedTuple

AROUND = 2
"""Lines of source that are shown before and after the one."""

WIDTH = 160
"""Characters of a line of source that are stored."""

LONGEST_FILE = 2048
LONGEST_NAME = 200
"""Characters of a source's name, and of one in a map, that are stored."""

UNREADABLE = "its source cannot be parsed"

NO_MAPPING = "no mapping at this position"
NOT_PARSABLE = "not parsable"
"""Why there is no place."""


class Place(NamedTuple):
    """Where it was written. Line and column count from 1.

    `function` is the one around it: '' without a name, None if nobody can tell. `token` is the name
    that stands at the place itself: a function that is called there, a variable. `line_text` is
    None where the map has no source.
    """

    file: str
    line: int
    column: int
    function: str | None
    token: str
    pre: list[str]
    line_text: str | None
    post: list[str]
    unnamed: str = ""
    ignored: bool = False
