"""Reads a grouped event again, as `explain` does for one out of the database or the API."""

from __future__ import annotations

from typing import Any

from stages.grouping import fields
from stages.grouping.fields import FieldReader, items, whole
from stages.grouping.frames import Frame
from stages.grouping.parsed_event import ExceptionInfo, ParsedEvent
from stages.grouping.snippet import CHAIN

_OF_MAPS = ("generated", "context", "unnamed", "unmapped", "debug_id")
"""What a frame has of a source map, or for one."""


def read(body: dict[str, Any]) -> ParsedEvent:
    """The details of a body that this stage made of a report or an SDK's event. Never raises.

    What was cut stays cut, and the client's own fingerprint is not stored: a grouping by it cannot
    be repeated.
    """
    take = FieldReader()
    details = ParsedEvent(
        cut=take.cut, thrown=_thrown(take, body), level=fields.level(body.get("level"))
    )
    details.mechanism = take.text(body.get("mechanism"), "mechanism", 80)
    details.chain = [
        _thrown(take, one) for one in items(body.get("chain"), CHAIN) if isinstance(one, dict)
    ]
    details.page = take.text(body.get("page"), "page", fields.TEXT)
    for name in ("release", "dist", "environment"):
        setattr(details, name, take.text(body.get(name), name))
    details.debug_ids = {
        frame.file: str(frame.mapped["debug_id"])
        for one in (details.thrown, *details.chain)
        for frame in one.frames
        if frame.mapped and frame.mapped.get("debug_id")
    }
    return details


def _thrown(take: FieldReader, one: dict[str, Any]) -> ExceptionInfo:
    type_, message = (
        take.text(one.get("type"), "type"),
        take.text(one.get("message"), "message", fields.MESSAGE),
    )
    return ExceptionInfo(
        type_,
        message,
        [_frame(take, frame) for frame in items(one.get("frames"), 250) if isinstance(frame, dict)],
    )


def _frame(take: FieldReader, one: dict[str, Any]) -> Frame:
    function, file = (
        take.text(one.get("function"), "stack", 500),
        take.text(one.get("file"), "stack", fields.TEXT),
    )
    return Frame(
        function,
        file,
        whole(one.get("line"), 1),
        whole(one.get("column"), 1),
        one.get("in_app") is not False,
        mapped={name: one[name] for name in _OF_MAPS if name in one} or None,
    )
