"""Errors that came a moment ago: a storm is the same few errors again and again, and which issue
one belongs to need not be found out anew.

Two reports are the same error when they differ in nothing but the fields that their reader names
as VARYING. So what is not known to vary keeps them apart.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from stages.grouping import sentry, snippet
from stages.grouping.fields import FieldReader
from stages.grouping.parsed_event import ParsedEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from catchwater.event import Event, Json
    from stages.grouping.result import GroupingResult
    from stages.project_settings import ProjectSettings

SECONDS = 10.0
"""How long an error is known: a source map may come in, and a file of settings change."""

_MOST = 1_000_000
"""Bytes of the reports that are remembered, without what varies. With what was read of them it is
up to ten times as much memory.
"""

_LONGEST = _MOST // 32
"""Of one report."""

_KINDS = {"snippet": snippet, "sentry": sentry}
_PAGE = frozenset({"page", "request"})
"""Where the page stands, which the rules of a project may ask for."""
_VARYING = {kind: frozenset(reader.VARYING) for kind, reader in _KINDS.items()}
_VARYING_WITH_RULES = {kind: varying - _PAGE for kind, varying in _VARYING.items()}


class KnownError(NamedTuple):
    """`thrown` is what was read of it, without circumstances and before source maps; `names` are
    those of its issue by each version of grouping, `about` is what the issue's page begins with.
    """

    settings: ProjectSettings
    thrown: ParsedEvent
    names: list[str]
    about: Json


class KnownErrors:
    """The errors of the last seconds, of all projects."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[bytes, tuple[float, KnownError]] = {}
        self._size = 0

    def get(self, key: bytes, settings: ProjectSettings) -> KnownError | None:
        """None where it is not known, or was met under other settings of its project."""
        until, known = self._found.get(key, _NOTHING)
        fresh = known is not None and known.settings is settings and self._clock() < until
        return known if fresh else None

    def put(self, key: bytes, known: KnownError) -> None:
        """Remember it. Where threads meet here, `_size` may be a little off, and nothing else."""
        if not 0 < len(key) <= _LONGEST:
            return
        if self._size + len(key) > _MOST:
            self._found.clear()
            self._size = 0
        self._size += 0 if key in self._found else len(key)
        self._found[key] = self._clock() + SECONDS, known


_NOTHING = (0.0, None)


def key_of(event: Event, report: dict[str, Any], settings: ProjectSettings) -> bytes:
    """What two reports of the same error have in common; b'' for what is never remembered."""
    varying = (_VARYING_WITH_RULES if settings.rules else _VARYING).get(event.kind)
    if varying is None:
        return b""
    kept = {name: value for name, value in report.items() if name not in varying}
    try:
        return orjson.dumps([event.project, event.kind, kept])
    except orjson.JSONEncodeError:  # nested deeper than orjson writes: it reads more levels
        return b""


def is_told_by_what_was_thrown(result: GroupingResult) -> bool:
    """Whether nothing of its issue's name and page is of the page that it happened on."""
    return result.top is not None and bool(result.top.file)


def thrown_of(details: ParsedEvent) -> ParsedEvent:
    """What filters look at, without the circumstances."""
    thrown = replace(details.thrown, frames=list(details.thrown.frames))
    return ParsedEvent(details.shape, thrown, parts=details.parts, is_error=details.is_error)


def again(known: KnownError, event: Event, report: dict[str, Any]) -> ParsedEvent:
    """The known error, in the circumstances of this report that are counted."""
    thrown = known.thrown
    details = ParsedEvent(thrown.shape, thrown.thrown, parts=thrown.parts, is_error=thrown.is_error)
    _KINDS[event.kind].read_counted(FieldReader(), details, report)
    return details
