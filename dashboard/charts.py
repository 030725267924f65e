"""Counts over time as bars, laid out for inline SVG. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

TALL = 32
STEP = 6
WIDE = 4
"""Units of the drawing: a bar's greatest height, the distance of two bars, and a bar's width."""

SHORTEST = 2.0
"""One event must be seen beside thousands."""

HAIRS = 140
"""Widths of a thin line that a drawing has, however many bars: a pixel of a small one."""

MARKS_SAID = 5
"""Marks that the sentence names, the latest ones. It is read aloud, and so must end."""


@dataclass(frozen=True, slots=True)
class Axis:
    """When bars are: the first one at `first`, each `step` later; `names` says so in words.

    `on` stands before such a name ("at" 14:00, "on" 3 Nov), `span` is the whole: "24 hours".
    """

    first: datetime
    step: timedelta
    names: list[str]
    on: str
    span: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One count. `label` says when and how many."""

    x: int
    y: float
    height: float
    count: int
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a time, such as a deploy. `label` says what, and when."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, oldest first, and what they say in one sentence for those who cannot see them.

    `outline` is all bars as one path of SVG: without labels, and a tenth as long. `hair` is the
    width of a line that is thin on a screen, however many bars there are. `peak` names the first
    bar of those that have `most`.
    """

    counts: Sequence[int]
    bars: list[Bar]
    outline: str
    width: int
    hair: float
    most: int
    peak: str
    sentence: str
    marks: list[Mark]


def axis(first: datetime, step: timedelta, length: int, form: str, on: str, span: str) -> Axis:
    """Of `length` bars, which `form` (of strftime) names."""
    names = [(first + i * step).strftime(form) for i in range(length)]
    return Axis(first, step, names, on, span)


def chart(counts: Sequence[int], over: Axis, marked: Sequence[tuple[datetime, str]] = ()) -> Chart:
    """A bar for each count. Of what is `marked`, times with words, oldest first, those within the
    axis are shown.
    """
    most = max(counts, default=0)
    bars = [_bar(i, count, most, over.names[i]) for i, count in enumerate(counts)]
    last = over.first + len(counts) * over.step
    marks = [
        _mark(at, (at - over.first) / over.step, what)
        for at, what in marked
        if over.first <= at < last
    ]
    outline = "".join(f"M{bar.x} {bar.y:g}h4V32h-4z" for bar in bars if bar.count)
    width = max(len(counts) * STEP - (STEP - WIDE), 1)
    hair = round(width / HAIRS, 2)
    peak = over.names[list(counts).index(most)] if most else ""
    sentence = _sentence(sum(counts), most, peak, over) + _said(marks)
    return Chart(counts, bars, outline, width, hair, most, peak, sentence, marks)


def _sentence(count: int, most: int, peak: str, over: Axis) -> str:
    where = f", most of them {over.on} {peak}: {most:,}" if most else ""
    return f"{_events(count)} in {over.span}{where}"


def _said(marks: Sequence[Mark]) -> str:
    words = "".join(f"; {one.label}" for one in marks[-MARKS_SAID:])
    more = len(marks) - MARKS_SAID
    return words + (f"; {more} more before" if more > 0 else "")


def _mark(at: datetime, place: float, what: str) -> Mark:
    return Mark(round(place * STEP, 1), f"{what} at {at:%d %b, %H:%M} UTC")


def _bar(place: int, count: int, most: int, name: str) -> Bar:
    height = max(SHORTEST, round(TALL * count / most, 1)) if count else 0.0
    return Bar(place * STEP, round(TALL - height, 1), height, count, f"{name}: {_events(count)}")


def _events(count: int) -> str:
    return f"{count:,} event" if count == 1 else f"{count:,} events"
