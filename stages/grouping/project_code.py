"""Whose code a frame stands in, as the project itself says. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.grouping.frames import is_extension, is_native

if TYPE_CHECKING:
    from catchwater.config.code import Code
    from stages.grouping.frames import Frame
    from stages.grouping.parsed_event import ParsedEvent


def decide(details: ParsedEvent, code: Code) -> None:
    """Decide `in_app` of each frame anew. The engine's and an extension's code is nobody's own."""
    if not (code.own or code.libraries):
        return
    for thrown in (details.thrown, *details.chain):
        for at, frame in enumerate(thrown.frames):
            if not (is_native(frame.file) or is_extension(frame.file)):
                thrown.frames[at] = _decided(frame, code)


def _decided(frame: Frame, code: Code) -> Frame:
    return frame._replace(in_app=code.is_own(frame.file, otherwise=frame.in_app))
