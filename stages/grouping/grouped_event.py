"""The body of a grouped event: what the sink stores whole as a sample.

The dashboard shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from stages.grouping import fields
from stages.grouping.files import short, steady
from stages.grouping.functions import plain
from stages.grouping.user_agents import Client, client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from catchwater.event import Event
    from stages.grouping.parsed_event import ExceptionInfo, ParsedEvent
    from stages.grouping.result import GroupingResult

FRAMES = 50  # of a cause
PLACES = 6
_SPARED = ("extra", "breadcrumbs", "tags", "ignored")  # what goes first when a body is too large


def type_of(details: ParsedEvent) -> str:
    """A type for people: never empty."""
    if details.thrown.type:
        return details.thrown.type
    if details.shape == "message":
        return "Message"
    return "UnhandledRejection" if "rejection" in details.mechanism else "Error"


def culprit(details: ParsedEvent, result: GroupingResult) -> str:
    """`function (file)` of the frame that stands for the place; else the transaction or the
    page.
    """
    top = result.top
    if top is None or not top.file:
        return (details.place or details.page)[: fields.WORD]
    file = short(top.file)
    function = plain(top.function) or top.function
    return f"{function} ({file})"[: fields.WORD] if function else file[: fields.WORD]


def places(body: dict[str, Any]) -> str:
    """Functions and files of the project's own frames, innermost first: what people search for."""
    own = [one for one in body["frames"] if one["in_app"]][:PLACES]
    named = [f"{one['function'] or ''} ({steady(one['file']) or '/'})".strip() for one in own]
    return "\n".join(dict.fromkeys(named))[: 2 * fields.WORD]


def body_of(
    event: Event, details: ParsedEvent, result: GroupingResult, fingerprints: dict[str, str]
) -> dict[str, Any]:
    """The body of the grouped event, as one JSON object."""
    agent = agent_of(event, details)
    return {
        "id": event.id,
        "project": event.project,
        "received": event.received,
        "kind": event.kind,
        **identity(details, result, fingerprints),
        "level": details.level,
        "mechanism": details.mechanism,
        "chain": causes(details),
        "browser": agent.browser,
        "os": agent.os,
        "device": agent.device,
        "user_agent": _user_agent(event, details),
        **_circumstances(details),
    }


def agent_of(event: Event, details: ParsedEvent) -> Client:
    """Browser, system and device."""
    return client(_user_agent(event, details))


def _user_agent(event: Event, details: ParsedEvent) -> str:
    return details.user_agent or str(event.facts.get("user_agent") or "")[:500]


def identity(
    details: ParsedEvent, result: GroupingResult, fingerprints: dict[str, str]
) -> dict[str, Any]:
    """What `explain` prints: the fingerprint by each version of grouping, its parts, and why."""
    return {
        "fingerprint": list(fingerprints.values())[-1],
        "fingerprints": fingerprints,
        "type": type_of(details),
        "message": details.thrown.message,
        "culprit": culprit(details, result),
        "frames": [frame.as_json() for frame in details.thrown.frames],
        "used": result.used,
        "ignored": result.ignored,
    }


def about(body: dict[str, Any], title: str) -> dict[str, Any]:
    """What an issue begins with; a `title` that a rule of the project gives takes the place of the
    message.
    """
    kept = {name: body[name] for name in ("type", "culprit", "level")}
    return kept | {"message": (title or body["message"])[:500], "places": places(body)}


def causes(details: ParsedEvent) -> list[dict[str, Any]]:
    return [_cause(one) for one in details.chain]


def _cause(thrown: ExceptionInfo) -> dict[str, Any]:
    frames = [frame.as_json() for frame in thrown.frames[:FRAMES]]
    return {"type": thrown.type or "Error", "message": thrown.message, "frames": frames}


def _circumstances(details: ParsedEvent) -> dict[str, Any]:
    return {
        "ts": details.ts,
        "page": details.page,
        "referrer": details.referrer,
        "release": details.release,
        "dist": details.dist,
        "environment": details.environment,
        "user": details.user,
        "tags": details.tags,
        "extra": details.extra,
        "breadcrumbs": details.breadcrumbs,
        "n": details.n,
        "first_ts": details.first_ts,
        "sdk": details.sdk,
        "cut": details.cut,
        "awaits": details.awaits,
    }


def packed(body: dict[str, Any]) -> bytes:
    """The body's bytes, below `fields.BODY`: what people miss least goes first, and `cut` says
    so.
    """
    data = orjson.dumps(body)
    for name in _SPARED:
        if len(data) <= fields.BODY:
            return data
        body[name] = {} if isinstance(body[name], dict) else []
        data = _dumped(body, name)
    for most in (50, 10, 2):
        if len(data) <= fields.BODY:
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
    return {
        **frame,
        "function": frame["function"][: fields.WORD],
        "file": frame["file"][: fields.WORD],
    }
