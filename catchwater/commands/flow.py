"""The pipeline as a picture for a terminal: stages top to bottom, streams between them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catchwater.config.streamdefs import SINK, SOURCE
from catchwater.monitoring import stuck

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.monitoring.history import Minute
    from catchwater.monitoring.snapshot import StageStatus

_HEIGHTS = "▁▂▃▄▅▆▇█"
_UNKNOWN = " "
_WIDEST = 12
"""Columns of a name; a longer one moves what stands behind it."""


class Flow:
    """One picture. `history` and `rates` are by stage; `accepted` is how many events a second
    come in.
    """

    def __init__(
        self,
        defs: StreamDefs,
        stages: Sequence[StageStatus],
        rates: Mapping[str, float],
        history: Mapping[str, Sequence[Minute | None]],
        accepted: float,
    ) -> None:
        self._defs = defs
        self._stages = {one.stage: one for one in stages}
        self._rates = rates
        self._history = history
        self._accepted = accepted

    def text(self) -> str:
        """The picture, a stage or a stream a line."""
        return "\n".join([f"{'ingest':<{_WIDEST}}  {self._accepted:.1f}/s", *self._below(SOURCE)])

    def _below(self, stream: str, indent: str = "") -> Iterator[str]:
        """The readers of a stream; further ones than the first are branches."""
        for number, name in enumerate(self._defs.readers(stream)):
            space = indent + "    " * number
            stage = self._stages[name]
            yield f"{space}  │ {self._waiting(stage)}"
            yield f"{space}  ▼"
            yield f"{space}{self._working(stage)}"
            settings = self._defs.stages[name]
            if settings.run == [SINK]:
                yield from (f"{space}  │", f"{space}  ▼", f"{space}MongoDB")
            elif settings.emits:
                yield from self._below(settings.emits, space)

    def _waiting(self, one: StageStatus) -> str:
        rate = self._rates[one.stage]
        why = stuck.reason(one.oldest_age_s, one.consumers, rate)
        mark = f"  <-- stuck: {why}" if why else ""
        return (
            f"{one.reads:<{_WIDEST}}{one.depth:>11,} wait  oldest {one.oldest_age_s:>7.1f}s"
            f"  {rate:>9,.1f}/s  {sparkline(self._history[one.stage])}{mark}"
        )

    @staticmethod
    def _working(one: StageStatus) -> str:
        working = f"{one.consumers} consumer{'' if one.consumers == 1 else 's'}"
        dead = f"  {one.dead:,} dead letters" if one.dead else ""
        return f"{one.stage:<{_WIDEST}}  {working}{dead}"


def sparkline(history: Sequence[Minute | None]) -> str:
    """A character a step, as tall as the depth was beside the greatest one; none is a blank."""
    most = max((one.depth for one in history if one), default=0)
    return "".join(_height(one.depth, most) if one else _UNKNOWN for one in history).lstrip()


def _height(depth: int, most: int) -> str:
    """Only 0 is as low as can be."""
    if not depth:
        return _HEIGHTS[0]
    return _HEIGHTS[max(1, (len(_HEIGHTS) - 1) * depth // most)]
