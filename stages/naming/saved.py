"""What a named event tells when it is read again: `explain` for an event out of the database or the API."""

from __future__ import annotations

from typing import Any

from stages.naming import bounds
from stages.naming.bounds import Taker, items, whole
from stages.naming.frames import Frame
from stages.naming.snippet import CHAIN
from stages.naming.told import Details, Thrown


def read(body: dict[str, Any]) -> Details:
    """The details of a body that this stage made of a report or an SDK's event. Never raises.

    What was cut stays cut, and the client's own fingerprint is not kept: a name made from that cannot be made again.
    """
    take = Taker()
    details = Details(cut=take.cut, thrown=_thrown(take, body), level=bounds.level(body.get("level")))
    details.mechanism = take.text(body.get("mechanism"), "mechanism", 80)
    details.chain = [_thrown(take, one) for one in items(body.get("chain"), CHAIN) if isinstance(one, dict)]
    details.page = take.text(body.get("page"), "page", bounds.TEXT)
    return details


def _thrown(take: Taker, one: dict[str, Any]) -> Thrown:
    type_, message = take.text(one.get("type"), "type"), take.text(one.get("message"), "message", bounds.MESSAGE)
    return Thrown(
        type_, message, [_frame(take, frame) for frame in items(one.get("frames"), 250) if isinstance(frame, dict)]
    )


def _frame(take: Taker, one: dict[str, Any]) -> Frame:
    function, file = take.text(one.get("function"), "stack", 500), take.text(one.get("file"), "stack", bounds.TEXT)
    return Frame(function, file, whole(one.get("line"), 1), whole(one.get("column"), 1), one.get("in_app") is not False)
