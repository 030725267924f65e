"""Where a frame stands: `file:line:column` in all the ways engines write it."""

from __future__ import annotations

import re

NOWHERE = frozenset({"[native code]", "[wasm code]"})

# SpiderMonkey: `file.js line 26 > eval line 2 > eval:1:30`; the line and column after it count
# inside the evaluated text. For `file.js line 51 > Function:3:1` the public parsers all leave the
# file as it is, and so do we.
_IN_EVAL = re.compile(r" line ([0-9]{1,9}) > eval")


def split(place: str) -> tuple[str, int | None, int | None]:
    """File, line and column of `place`; None for what it does not say."""
    inside = _IN_EVAL.search(place)
    if inside:
        return place[: inside.start()], int(inside[1]), None
    head, last = _number(place)
    if last is None:
        return place, None, None
    file, line = _number(head)
    return (head, last, None) if line is None else (file, line, last)


def _number(place: str) -> tuple[str, int | None]:
    head, colon, tail = place.rpartition(":")
    if colon and head and len(tail) <= 9 and tail.isascii() and tail.isdecimal():
        return head, int(tail)
    return place, None


def without_quirks(line: str) -> str:
    """Safari writes `f@safari-web-extension:(//id/file.js:1:2)` for code of an extension."""
    if "extension:(" not in line:
        return line
    return line.replace("extension:(", "extension:", 1).removesuffix(")")
