"""A sample's stack as a page shows it: the page's own frames open, runs of library frames folded.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from dashboard.json_fields import mapping, number, sequence, text

if TYPE_CHECKING:
    from catchwater.event import Json

CAUSES = 20
"""Causes of an error that a page shows."""


WHY_UNMAPPED = {
    "not uploaded": "no source map of it was uploaded",
    "other release": "its source map was uploaded for another release only",
    "other dist": "its source map was uploaded for another dist of the release only",
    "no mapping at this position": "its source map says nothing about this position",
    "not parsable": "its source map cannot be read",
    "not readable within limits": "its source map took more time or memory to read than a map may",
    "no index": "its source map was uploaded to an older release: upload it again",
    "too many maps": "the event needs more source maps than one event may",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of source. `here`: the one that the frame stands at."""

    number: int
    text: str
    here: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """`generated` is where it was in the script that ran, `unmapped` why no source map was
    used; '' for neither.
    """

    function: str
    file: str
    place: str
    in_app: bool
    lines: list[Line] = field(default_factory=list)
    generated: str = ""
    unmapped: str = ""
    unnamed: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Frames that follow each other and are all of the page's own code, or all not."""

    frames: list[Frame]
    in_app: bool
    folded: bool


@dataclass(frozen=True, slots=True)
class ExceptionInfo:
    """An error or one of its causes.

    `muted`: thrown by a script of another origin, whose errors browsers hide from a page.
    """

    type: str
    message: str
    runs: list[Run]
    muted: bool


def chain(event: Json) -> list[ExceptionInfo]:
    """The error itself, then its causes, nearest first."""
    causes = [mapping(one) for one in sequence(event.get("chain"))]
    return [_thrown(one) for one in (event, *causes[:CAUSES])]


def _thrown(found: Json) -> ExceptionInfo:
    message = text(found.get("message"))
    return ExceptionInfo(
        text(found.get("type")),
        message,
        runs(found.get("frames")),
        message.rstrip(".") == "Script error",
    )


def runs(frames: Any) -> list[Run]:
    """Innermost first.

    The innermost frame is never folded, and nothing is when no frame is the page's own.
    """
    known = [_frame(mapping(one)) for one in sequence(frames)]
    any_own = any(frame.in_app for frame in known)
    grouped = [list(group) for _, group in groupby(known[1:], key=lambda frame: frame.in_app)]
    rest = [Run(group, group[0].in_app, any_own and not group[0].in_app) for group in grouped]
    return [Run([one], one.in_app, folded=False) for one in known[:1]] + rest


def _frame(found: Json) -> Frame:
    generated, why = mapping(found.get("generated")), text(found.get("unmapped"))
    return Frame(
        text(found.get("function")),
        text(found.get("file")),
        _place(found),
        found.get("in_app") is True,
        _lines(mapping(found.get("context")), number(found.get("line"))),
        (
            f"{text(generated.get('function'))} {text(generated.get('file'))}{_place(generated)}"
        ).strip(),
        WHY_UNMAPPED.get(why, why),
        text(found.get("unnamed")),
    )


def _place(found: Json) -> str:
    line, column = number(found.get("line")), number(found.get("column"))
    return f":{line}" * (line > 0) + f":{column}" * (line > 0 and column > 0)


def _lines(context: Json, at: int) -> list[Line]:
    """The source around a frame, at most five lines before and after."""
    if "line" not in context:
        return []
    pre, post = sequence(context.get("pre"))[-5:], sequence(context.get("post"))[:5]
    every = [*pre, context["line"], *post]
    return [Line(at - len(pre) + n, text(one), n == len(pre)) for n, one in enumerate(every)]
