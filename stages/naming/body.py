"""The named body: what the sink keeps whole as a sample. DESIGN section 7 and the issue page read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from stages.naming import bounds
from stages.naming.agents import client
from stages.naming.files import short
from stages.naming.functions import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from catchwater.event import Event
    from stages.naming.name import Name
    from stages.naming.told import Details, Thrown

FRAMES = 50  # of a cause, kept in the body
_SPARED = ("extra", "breadcrumbs", "tags", "ignored")  # what goes first when a body is too large


def type_of(details: Details) -> str:
    """A type for people: never empty."""
    if details.thrown.type:
        return details.thrown.type
    if details.shape == "message":
        return "Message"
    return "UnhandledRejection" if "rejection" in details.mechanism else "Error"


def culprit(details: Details, name: Name) -> str:
    """`function (file)` of the frame that stands for the place; else the transaction or the page."""
    top = name.top
    if top is None or not top.file:
        return (details.place or details.page)[: bounds.WORD]
    file = short(top.file)
    function = plain(top.function) or top.function
    return f"{function} ({file})"[: bounds.WORD] if function else file[: bounds.WORD]


def named(event: Event, details: Details, name: Name, fingerprints: dict[str, str]) -> dict[str, Any]:
    """The whole body, as one JSON object."""
    user_agent = details.user_agent or str(event.facts.get("user_agent") or "")[:500]
    told = client(user_agent)
    return {
        "id": event.id,
        "project": event.project,
        "received": event.received,
        "kind": event.kind,
        **identity(details, name, fingerprints),
        "level": details.level,
        "mechanism": details.mechanism,
        "chain": [_cause(one) for one in details.chain],
        "browser": told.browser,
        "os": told.os,
        "device": told.device,
        "user_agent": user_agent,
        **_circumstances(details),
    }


def identity(details: Details, name: Name, fingerprints: dict[str, str]) -> dict[str, Any]:
    """What `explain` prints: the name, by each version of naming, what it names, and why."""
    return {
        "fingerprint": list(fingerprints.values())[-1],
        "fingerprints": fingerprints,
        "type": type_of(details),
        "message": details.thrown.message,
        "culprit": culprit(details, name),
        "frames": [frame.as_json() for frame in details.thrown.frames],
        "used": name.used,
        "ignored": name.ignored,
    }


def _cause(thrown: Thrown) -> dict[str, Any]:
    frames = [frame.as_json() for frame in thrown.frames[:FRAMES]]
    return {"type": thrown.type or "Error", "message": thrown.message, "frames": frames}


def _circumstances(details: Details) -> dict[str, Any]:
    return {
        "ts": details.ts,
        "page": details.page,
        "referrer": details.referrer,
        "release": details.release,
        "environment": details.environment,
        "user": details.user,
        "tags": details.tags,
        "extra": details.extra,
        "breadcrumbs": details.breadcrumbs,
        "n": details.n,
        "first_ts": details.first_ts,
        "sdk": details.sdk,
        "cut": details.cut,
    }


def packed(body: dict[str, Any]) -> bytes:
    """The body's bytes, below `bounds.BODY`: what people miss least goes first, and `cut` says so."""
    data = orjson.dumps(body)
    for name in _SPARED:
        if len(data) <= bounds.BODY:
            return data
        body[name] = {} if isinstance(body[name], dict) else []
        data = _dumped(body, name)
    for most in (50, 10, 2):
        if len(data) <= bounds.BODY:
            return data
        _shorten(body, most)
        data = _dumped(body, "stack")
    return data


def _dumped(body: dict[str, Any], cut: str) -> bytes:
    if cut not in body["cut"]:
        body["cut"].append(cut)
    return orjson.dumps(body)


def _shorten(body: dict[str, Any], most: int) -> None:
    """Fewer frames and causes, shorter texts: in the end a body of some 20 KB whatever was sent."""
    for one in (body, *body["chain"]):
        one["frames"] = [_short_frame(frame) for frame in one["frames"][:most]]
        one["message"] = one["message"][: most * 50]
    body["chain"] = body["chain"][:most]
    body["used"] = [text[: most * 50] for text in body["used"][:most]]


def _short_frame(frame: Mapping[str, Any]) -> dict[str, Any]:
    frame = {key: value for key, value in frame.items() if key not in ("context", "generated")}
    return {**frame, "function": frame["function"][: bounds.WORD], "file": frame["file"][: bounds.WORD]}
