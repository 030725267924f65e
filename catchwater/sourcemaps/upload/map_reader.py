"""Asks another process what is in a map, and for its index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catchwater.errors import InvalidSourceMapError, SourceUnreadableError
from catchwater.sourcemaps.child_process import Child
from catchwater.sourcemaps.store import sha_of

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 900.0
"""Seconds for one map by the clock."""

FIRST_S = 2.0
EACH_BYTE_S = 2e-6
"""Seconds of CPU that a map may take, without its sources: real ones take 0.5 for each MB."""

TOO_HARD = "reading it took more memory or time than a map may, or crashed its parser"
OVER_BUDGET = "the maps before it took all the time that a bundle may: upload the bundle again"


@dataclass(frozen=True, slots=True)
class MapFacts:
    """What is known of a map. `raw`: its bytes as they can be used.

    `index` is empty where there was one already, and where there can be none: `unread` says why
    then, and no frame gets a name by it.
    """

    raw: bytes
    mappings: int = 0
    has_sources: bool = False
    debug_id: str = ""
    script: str = ""
    index: bytes = b""
    unread: str = ""


NO_MAP = MapFacts(b"")


def _never(_sha: str) -> bool:
    return False


class MapReader(Child):
    """Its process is started at the first question. To be used by one thread, and closed."""

    def __init__(
        self,
        is_indexed: Callable[[str], bool] = _never,
        budget_s: float = float("inf"),
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`is_indexed`: whether there is an index of a map, by its hash. `budget_s`: seconds of CPU
        for all maps together, with `work_besides_s` that whoever asks takes for them.
        """
        super().__init__("catchwater.sourcemaps.upload.map_process", patience_s)
        self._is_indexed = is_indexed
        self._budget_s = budget_s
        self.work_besides_s = 0.0

    def read(self, raw: bytes) -> MapFacts:
        """Raises InvalidSourceMapError for what is no map, and SourceUnreadableError where no
        parser can be started.
        """
        if self.spent + self.work_besides_s >= self._budget_s:
            return MapFacts(raw, unread=OVER_BUDGET)
        question = {"index": not self._is_indexed(sha_of(raw))}
        try:
            told, found = self.ask(question, raw, FIRST_S + EACH_BYTE_S * len(raw))
        except SourceUnreadableError as error:
            if not error.of_source:
                raise
            return MapFacts(raw, unread=TOO_HARD)
        return _facts(raw, told, found)


def _facts(raw: bytes, told: dict[str, Any], found: bytes) -> MapFacts:
    if "broken" in told:
        raise SourceUnreadableError(told["broken"], of_source=False)
    if "why" in told:
        raise InvalidSourceMapError(told["why"])
    repaired = told["repaired"]
    return MapFacts(
        found[:repaired] or raw,
        told["mappings"],
        told["has_sources"],
        told.get("debug_id", ""),
        told.get("file", ""),
        found[repaired:],
    )
