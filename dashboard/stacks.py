"""A sample's stack as a page shows it: the page's own frames open, runs of library frames folded. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from dashboard.shapes import mapping, number, sequence, text

if TYPE_CHECKING:
    from catchwater.event import Json

CAUSES = 20
"""Causes of an error that a page shows."""


@dataclass(frozen=True, slots=True)
class Frame:
    function: str
    file: str
    place: str
    in_app: bool


@dataclass(frozen=True, slots=True)
class Run:
    """Frames that follow each other and are all of the page's own code, or all not."""

    frames: list[Frame]
    in_app: bool
    folded: bool


@dataclass(frozen=True, slots=True)
class Thrown:
    """An error or one of its causes."""

    type: str
    message: str
    runs: list[Run]


def chain(event: Json) -> list[Thrown]:
    """The error itself, then its causes, nearest first."""
    causes = [mapping(one) for one in sequence(event.get("chain"))]
    return [_thrown(one) for one in (event, *causes[:CAUSES])]


def _thrown(found: Json) -> Thrown:
    return Thrown(text(found.get("type")), text(found.get("message")), runs(found.get("frames")))


def runs(frames: Any) -> list[Run]:
    """Innermost first. The innermost frame is never folded, and nothing is when no frame is the page's own."""
    known = [_frame(mapping(one)) for one in sequence(frames)]
    any_own = any(frame.in_app for frame in known)
    grouped = [list(group) for _, group in groupby(known[1:], key=lambda frame: frame.in_app)]
    rest = [Run(group, group[0].in_app, any_own and not group[0].in_app) for group in grouped]
    return [Run([one], one.in_app, folded=False) for one in known[:1]] + rest


def _frame(found: Json) -> Frame:
    line, column = number(found.get("line")), number(found.get("column"))
    place = f":{line}" * (line > 0) + f":{column}" * (line > 0 and column > 0)
    return Frame(text(found.get("function")), text(found.get("file")), place, found.get("in_app") is True)
