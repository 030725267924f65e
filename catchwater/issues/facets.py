"""What an issue was seen in, as short texts in its document, which an index finds it by. Pure.

Each is a tag with one of its values, as `counters.tag` writes the two, in lower case. They come on
top of the counts by value: those say how often, for each month; these only that it was.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from catchwater.issues.releases import oldest
from catchwater.streams import counters

if TYPE_CHECKING:
    from collections.abc import Collection

Condition = dict[str, Any]

MOST = 500
"""Facets of one issue; the ones that were new last stay. A month has at most some thousand."""

_DIGITS = 14  # of milliseconds since 1970, so that texts are in the order of times


def facet(name: str, value: str) -> str:
    return counters.tag(name, value).lower()


def has(name: str, value: str) -> Condition:
    """Issues that were seen with this value of a tag; `chrome*` is any that begins so."""
    return {"facets": beginning(facet(name, value))}


def beginning(value: str) -> str | re.Pattern[str]:
    """The value itself, or what begins as it does before its `*` at the end.

    Python's flag UNICODE would go to MongoDB, which then looks at the whole index.
    """
    if not value.endswith("*"):
        return value
    return re.compile(f"^{re.escape(value[:-1])}", re.ASCII)


def bounded() -> dict[str, Any]:
    """The facets of a document, in MongoDB's words: the last ones."""
    size = {"$size": {"$ifNull": ["$facets", []]}}
    return {"$cond": [{"$gt": [size, MOST]}, {"$slice": ["$facets", -MOST]}, "$facets"]}


def birth(first: int, releases: Collection[str]) -> str:
    """The time (milliseconds since 1970) and the release of a sighting, as one text.

    The least of an issue's is when and in which release it was first seen.
    """
    return f"{first:0{_DIGITS}d}{oldest(releases).lower()}"


def release_of_birth(birth: str) -> str:
    """'' without any."""
    return birth[_DIGITS:]


def first_release() -> dict[str, Any]:
    """The release of a document's birth, in MongoDB's words. Without any, there is no field."""
    rest = {"$substrCP": ["$birth", _DIGITS, {"$strLenCP": "$birth"}]}
    known = {"$gt": [{"$strLenCP": {"$ifNull": ["$birth", ""]}}, _DIGITS]}
    return {"$cond": [known, rest, "$$REMOVE"]}
