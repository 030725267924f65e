"""The pipeline drawn as it is: ingest, the stages and MongoDB as boxes, streams as arrows. Pure.

A stream has one writer and any number of readers, so the picture is a tree. It grows to the right:
the first reader of a stream stands beside its writer, others below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catchwater.config.streamdefs import SINK, SOURCE
from catchwater.monitoring import stuck
from dashboard.times import lasting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.event import Json
    from catchwater.monitoring.history import Minute

BOX, ARROW, ROW = 104, 112, 168
"""Units of the drawing: a box's width, an arrow's length, and a row's height."""

LINE, TALL = 62, 36
"""How far below a row's top its arrows are, and the greatest height of a bar of the history."""

INGEST, MONGODB = "ingest", "MongoDB"


@dataclass(frozen=True, slots=True)
class Box:
    """Ingest, a stage, or MongoDB. `state` is '' or `bad`; `dead` are dead letters."""

    name: str
    says: str
    x: int
    y: int
    state: str = ""
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Arrow:
    """A stream on its way to one of its stages; `stream` is '' on the way into MongoDB.

    `state` is `still`, `moves` or `stuck`, and `why` it is stuck. `bars` is the history as a path
    of SVG, `most` the greatest depth in it.
    """

    stream: str
    stage: str
    path: str
    x: int
    y: int
    depth: int = 0
    oldest: str = ""
    rate: str = ""
    state: str = "still"
    why: str = ""
    bars: str = ""
    most: int = 0


@dataclass(frozen=True, slots=True)
class Diagram:
    """`sentence` says all of it to those who cannot see it."""

    boxes: list[Box]
    arrows: list[Arrow]
    width: int
    height: int
    sentence: str


def diagram(
    defs: StreamDefs, found: Json, history: Mapping[str, Sequence[Minute | None]], accepted: float
) -> Diagram:
    """`found` is GET /api/pipeline; `accepted` is how many events a second come in."""
    stages = {one["stage"]: one for one in found["stages"]}
    boxes = [Box(INGEST, f"{rate_of(accepted)} come in", 0, 0)]
    arrows: list[Arrow] = []
    for name, (column, row, writer_row) in _places(defs).items():
        one = stages[name]
        boxes.append(_stage_box(one, column, row))
        arrows.append(_arrow(one, history.get(name, ()), column, row, writer_row))
        if defs.stages[name].run == [SINK]:
            arrows.append(Arrow("", MONGODB, _path(column, row, row), *_at(column, row)))
            boxes.append(_store_box(found["audit"], column + 1, row))
    width = max(box.x for box in boxes) + BOX
    height = max(box.y for box in boxes) + ROW
    return Diagram(boxes, arrows, width, height, _sentence(arrows, boxes))


def _places(defs: StreamDefs) -> dict[str, tuple[int, int, int]]:
    """Column and row of each stage, and the row of its writer, as they are drawn."""
    places: dict[str, tuple[int, int, int]] = {}
    rows = 0

    def place(stream: str, column: int, writer_row: int) -> None:
        nonlocal rows
        for number, name in enumerate(defs.readers(stream)):
            rows += number > 0
            row = rows if number else writer_row
            places[name] = (column, row, writer_row)
            if emits := defs.stages[name].emits:
                place(emits, column + 1, row)

    place(SOURCE, 1, 0)
    return places


def _stage_box(one: Json, column: int, row: int) -> Box:
    running = one["consumers"]
    says = "1 consumer" if running == 1 else f"{running} consumers" if running else "no consumer"
    state = "bad" if _why(one) else ""
    return Box(one["stage"], says, column * (BOX + ARROW), row * ROW, state, one["dead"])


def _store_box(audit: Json, column: int, row: int) -> Box:
    stored = audit["stored"]
    says = "does not answer" if stored is None else f"{stored:,} events"
    state = "bad" if stored is None else ""
    return Box(MONGODB, says, column * (BOX + ARROW), row * ROW, state)


def _arrow(
    one: Json, history: Sequence[Minute | None], column: int, row: int, writer_row: int
) -> Arrow:
    depths = [minute.depth if minute else 0 for minute in history]
    most, why = max(depths, default=0), _why(one)
    return Arrow(
        stream=one["reads"],
        stage=one["stage"],
        path=_path(column - 1, row, writer_row),
        x=_at(column - 1, row)[0],
        y=_at(column - 1, row)[1],
        depth=one["depth"],
        oldest=lasting(one["oldest_age_s"]) if one["depth"] else "",
        rate=rate_of(one["rate"]),
        state="stuck" if why else "moves" if one["rate"] else "still",
        why=why,
        bars=_bars(depths, most),
        most=most,
    )


def _why(one: Json) -> str:
    return stuck.reason(one["oldest_age_s"], one["consumers"], one["rate"])


def _at(column: int, row: int) -> tuple[int, int]:
    """Where an arrow begins that leaves a box of this column."""
    return column * (BOX + ARROW) + BOX, row * ROW


def _path(column: int, row: int, writer_row: int) -> str:
    """From the right side of a box to the left side of the next one."""
    x, y = _at(column, row)
    from_y = writer_row * ROW + LINE
    turn = f"H{x + 10}V{y + LINE}" if writer_row != row else ""
    return f"M{x + 4} {from_y}{turn}H{x + ARROW - 7}"


def _bars(depths: Sequence[int], most: int) -> str:
    """A bar a minute, `most` as tall as can be, and each that is not 0 to be seen."""
    step = (ARROW - 8) / max(len(depths), 1)
    shown = [(place, max(2.0, TALL * n / most)) for place, n in enumerate(depths) if n]
    return "".join(
        f"M{4 + place * step:.1f} {TALL}v-{height:.1f}h{step * 0.7:.1f}V{TALL}z"
        for place, height in shown
    )


def rate_of(rate: float) -> str:
    """`0/s`, `3.2/s`, `1,234/s`."""
    return f"{rate:.1f}/s" if 0 < rate < 10 else f"{rate:,.0f}/s"


def _sentence(arrows: Sequence[Arrow], boxes: Sequence[Box]) -> str:
    said = [f"{boxes[0].name}: {boxes[0].says}"]
    said += [_said(one) for one in arrows if one.stream]
    return "; ".join([*said, *(f"{one.name}: {one.says}" for one in boxes if one.name == MONGODB)])


def _said(one: Arrow) -> str:
    waits = f"{one.depth:,} wait in {one.stream} for {one.stage}"
    old = f", the oldest for {one.oldest}" if one.oldest else ""
    why = f", stuck: {one.why}" if one.why else ""
    return f"{waits}{old}, {one.rate}{why}, at most {one.most:,} in the last hour"
