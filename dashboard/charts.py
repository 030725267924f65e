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
    """Bars, oldest first, and what they say in one sentence for those who cannot see them."""

    bars: list[Bar]
    width: int
    most: int
    sentence: str
    marks: list[Mark]


def chart(
    counts: Sequence[int],
    first: datetime,
    step: timedelta,
    form: str,
    span: str,
    marked: Sequence[tuple[datetime, str]] = (),
) -> Chart:
    """`counts` from `first` on, `step` apart.

    `form` (of strftime) names a bar, `span` the whole: "24 hours". Of what is `marked`, times with
    words, those within it are shown.
    """
    most = max(counts, default=0)
    names = [(first + i * step).strftime(form) for i in range(len(counts))]
    bars = [_bar(i, count, most, names[i]) for i, count in enumerate(counts)]
    sentence = f"{_events(sum(counts))} in {span}"
    if most:
        sentence += f", most of them at {names[list(counts).index(most)]}: {most:,}"
    last = first + len(counts) * step
    marks = [_mark(at, (at - first) / step, what) for at, what in marked if first <= at < last]
    sentence += "".join(f"; {one.label}" for one in marks)
    return Chart(bars, max(len(counts) * STEP - (STEP - WIDE), 1), most, sentence, marks)


def _mark(at: datetime, place: float, what: str) -> Mark:
    return Mark(round(place * STEP, 1), f"{what} at {at:%d %b, %H:%M} UTC")


def _bar(place: int, count: int, most: int, name: str) -> Bar:
    height = max(SHORTEST, round(TALL * count / most, 1)) if count else 0.0
    return Bar(place * STEP, round(TALL - height, 1), height, count, f"{name}: {_events(count)}")


def _events(count: int) -> str:
    return f"{count:,} event" if count == 1 else f"{count:,} events"
