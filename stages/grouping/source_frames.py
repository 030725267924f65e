"""Frames of the script that ran become frames of the source that was written.

Pure: the maps come from outside.

A frame whose map cannot be used stays exactly as it was, and says why. One that is mapped is not
mapped again. What a mapped frame has
besides its place is in `Frame.mapped`: `generated`, the place before; and `context`, the lines
around it, where the map has the source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catchwater.sourcemaps.lookup import NOT_UPLOADED, awaited, path_of
from stages.grouping.frames import Frame, is_extension, is_native, is_ours
from stages.grouping.grouped_event import FRAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from catchwater.sourcemaps.lookup import Maps
    from catchwater.sourcemaps.place import Place
    from catchwater.sourcemaps.positions import Map
    from stages.grouping.parsed_event import ParsedEvent

MINIFIED = 500
"""A column from which on a script looks as if a map would help: nobody writes lines that long."""

CONTEXT = 20_000
"""Characters of source that an event carries in all: the innermost frames of the error itself
come first.
"""

_SCRIPTS = (".js", ".mjs", ".cjs", ".jsx", ".bundle", ".jsbundle")


def resolve(details: ParsedEvent, project: str, maps: Maps | None) -> None:
    """Put the frames of the source in the place of those of the script, wherever a map has them."""
    stacks = [one.frames for one in (details.thrown, *details.chain) if one.frames]
    debug_ids = {path_of(file): one for file, one in details.debug_ids.items()}
    if maps is None or not maps.knows(project):
        for frames in stacks:
            _hint(frames)
    else:
        _map(details, project, maps, stacks, debug_ids)
    _await(details, stacks, debug_ids)


def _map(
    details: ParsedEvent,
    project: str,
    maps: Maps,
    stacks: list[list[Frame]],
    debug_ids: Mapping[str, str],
) -> None:
    wanted = {
        path: debug_ids.get(path, "")
        for frames in stacks
        for frame in frames[:FRAMES]
        if _may_be_mapped(frame)
        for path in (path_of(frame.file),)
    }
    if wanted:
        found = maps.find(project, details.release, wanted, details.dist)
        work = _Work(_places(stacks, found))
        for frames in stacks:
            work.replace(frames)


def _places(
    stacks: list[list[Frame]], found: Mapping[str, Map | str]
) -> dict[tuple[str, int, int], Place | str]:
    """Where each position comes from, or why that is unknown: each map is asked once."""
    positions: dict[str, set[tuple[int, int]]] = {}
    for frame in (frame for frames in stacks for frame in frames[:FRAMES] if _may_be_mapped(frame)):
        path, line, column = _position(frame)
        positions.setdefault(path, set()).add((line, column))
    places: dict[tuple[str, int, int], Place | str] = {}
    for path, wanted in positions.items():
        one = found.get(path, NOT_UPLOADED)
        told = dict.fromkeys(wanted, one) if isinstance(one, str) else one.places(wanted)
        places |= {(path, *position): place for position, place in told.items()}
    return places


def _position(frame: Frame) -> tuple[str, int, int]:
    return path_of(frame.file), frame.line or 0, frame.column or 0


def _await(details: ParsedEvent, stacks: list[list[Frame]], debug_ids: Mapping[str, str]) -> None:
    """Say which maps may still come, and let frames keep their debug ids until then."""
    found, is_script = set(), False
    for frames in stacks:
        for at, frame in enumerate(frames[:FRAMES]):
            if not _may_be_mapped(frame):
                continue
            if debug_id := debug_ids.get(path_of(frame.file)):
                found.add(debug_id)
                frames[at] = frame._replace(mapped={**(frame.mapped or {}), "debug_id": debug_id})
            is_script = is_script or _is_own_script(frame)
    if found or is_script:
        details.awaits = awaited(details.release, sorted(found))


class _Work:
    """One event's frames."""

    def __init__(self, places: Mapping[tuple[str, int, int], Place | str]) -> None:
        self._places = places
        self._left = CONTEXT

    def replace(self, frames: list[Frame]) -> None:
        few = frames[:FRAMES]
        places = [self._place(frame) for frame in few]
        for at, (frame, place) in enumerate(zip(few, places, strict=True)):
            if isinstance(place, str):
                frames[at] = _unmapped(frame, place)
            elif place is not None:
                caller = places[at + 1] if at + 1 < len(places) else None
                frames[at] = self._mapped(frame, place, caller)

    def _place(self, frame: Frame) -> Place | str | None:
        """Where the frame comes from, or why that is unknown, or None for what never has a map."""
        return self._places[_position(frame)] if _may_be_mapped(frame) else None

    def _mapped(self, frame: Frame, place: Place, caller: Place | str | None) -> Frame:
        function = _function(frame, place, caller)
        generated = {
            "file": frame.file,
            "line": frame.line,
            "column": frame.column,
            "function": frame.function,
        }
        source: dict[str, Any] = {"generated": generated}
        if place.unnamed:
            source["unnamed"] = place.unnamed
        size = sum(map(len, (*place.pre, place.line_text or "", *place.post)))
        if place.line_text is not None and size <= self._left:
            self._left -= size
            source["context"] = {"pre": place.pre, "line": place.line_text, "post": place.post}
        refused = not frame.in_app and is_ours(
            frame.file, frame.function
        )  # the client said so, no name did
        in_app = is_ours(place.file, function) and not refused and not place.ignored
        return Frame(function, place.file, place.line, place.column, in_app, mapped=source)


def _function(frame: Frame, place: Place, caller: Place | str | None) -> str:
    """Read off the source; without that, what its caller calls there; else as it was."""
    if place.function is not None:
        return place.function
    called = caller.token if caller is not None and not isinstance(caller, str) else ""
    return called or frame.function


def _may_be_mapped(frame: Frame) -> bool:
    file = frame.file
    if frame.line is None or frame.evaluated or is_native(file) or is_mapped(frame):
        return False
    return not (is_extension(file) or file.startswith(("blob:", "data:", "<", "eval at ")))


def is_mapped(frame: Frame) -> bool:
    return "generated" in (frame.mapped or {})


def _is_own_script(frame: Frame) -> bool:
    return frame.in_app and path_of(frame.file).endswith(_SCRIPTS)


def _unmapped(frame: Frame, why: str) -> Frame:
    """The frame with the reason, unless nobody would expect a map: pages and what others serve
    have none.
    """
    expected = why != NOT_UPLOADED or _is_own_script(frame)
    return frame._replace(mapped={"unmapped": why}) if expected else frame


def _hint(frames: list[Frame]) -> None:
    """In a project without maps only what looks minified says that its map is missing."""
    for at, frame in enumerate(frames[:FRAMES]):
        if frame.column is not None and frame.column > MINIFIED and frame.in_app:
            frames[at] = _unmapped(frame, NOT_UPLOADED)
