"""Stacks of Opera before version 15 (the engine Presto): three formats, each in lines of its
own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stages.grouping.frames import Frame, make
from stages.grouping.positions import split

if TYPE_CHECKING:
    from collections.abc import Sequence

# Opera 9: "Line 43 of linked script http://x/a.js: In function bar", the source line follows.
_NINE = re.compile(
    r"Line ([0-9]{1,9}) of (?:linked|inline#[0-9]{1,9}|function) script (?:in )?(\S+)(?:: In "
    r"function (\S+))?"
)
# Opera 11: "called from line 27, column 8 in <anonymous function: run>(ex) in http://x/a.js:".
_ELEVEN = re.compile(
    r"(?:Error thrown at|Error created at|Error initially occurred at|called from|called via "
    r"\S{1,60} from)"
    r" line ([0-9]{1,9}), column ([0-9]{1,9}) in (.{0,400})"
)
_UNWRAP = re.compile(r"<anonymous function: ([^>]{1,200})>\Z")


def speaks(lines: Sequence[str]) -> bool:
    """Whether these are lines of Opera 9 or 11. (Opera 10's look like Firefox's.)"""
    return any(_NINE.match(line) or _ELEVEN.match(line) for line in lines[:4])


def parse(lines: Sequence[str]) -> list[Frame]:
    """The frames of Opera 9 or 11; lines of source between them are passed over."""
    frames = (_eleven(line) or _nine(line) for line in lines)
    return [frame for frame in frames if frame is not None]


def unwrapped(function: str) -> str:
    """`<anonymous function: run>` is a function that was assigned to `run`."""
    if not function.endswith(">"):
        return function
    if function == "<anonymous function>":
        return ""
    found = _UNWRAP.match(function)
    return found[1] if found else function


def _eleven(line: str) -> Frame | None:
    found = _ELEVEN.match(line)
    if found is None:
        return None
    function, _, file = found[3].rpartition(" in ")
    opening = function.find("(")
    name = function[:opening] if opening > 0 else function
    return make(unwrapped(name), file.removesuffix(":"), int(found[1]), int(found[2]))


def _nine(line: str) -> Frame | None:
    found = _NINE.match(line)
    if found is None:
        return None
    file, inner, column = split(found[2].removesuffix(":"))
    return make(found[3] or "", file, int(found[1]) if inner is None else inner, column)
