"""Reads the snippet's reports."""

from __future__ import annotations

from itertools import islice
from typing import Any

from stages.grouping import debug_ids, fields, messages, stacks
from stages.grouping.fields import FieldReader, items, mapping, whole
from stages.grouping.frames import Frame, make
from stages.grouping.parsed_event import ExceptionInfo, ParsedEvent

CHAIN = 10  # causes


def read(body: dict[str, Any]) -> ParsedEvent:
    """The details of one report. Never raises."""
    take = FieldReader()
    details = ParsedEvent(
        cut=take.cut, thrown=_thrown(take, body), level=fields.level(body.get("level"))
    )
    details.mechanism = take.text(body.get("mechanism"), "mechanism", 50)
    details.chain = [
        _thrown(take, one) for one in items(body.get("cause"), CHAIN) if isinstance(one, dict)
    ]
    details.client_fingerprint = _client_fingerprint(take, body.get("fingerprint"))
    _name_shape(details, body, take)
    details.source = _source(take, body)
    if (
        details.source and not details.thrown.frames
    ):  # the position can lie: it counts only without a stack
        details.thrown.frames = [details.source]
    pairs = islice(mapping(body.get("debug_ids")).items(), debug_ids.MOST)
    details.debug_ids = debug_ids.read(take, pairs, "debug_ids")
    read_counted(take, details, body)
    _read_shown(take, details, body)
    return details


def _name_shape(details: ParsedEvent, body: dict[str, Any], take: FieldReader) -> None:
    if details.mechanism == "resource":
        details.shape = "resource"
        source = take.text(body.get("source"), "source", fields.TEXT)
        details.parts = [details.thrown.type or "resource", source or details.thrown.message]
    elif details.mechanism == "manual" and not (details.thrown.type or body.get("stack")):
        details.shape = "message"


def _thrown(take: FieldReader, body: dict[str, Any]) -> ExceptionInfo:
    message = take.text(body.get("message"), "message", fields.MESSAGE)
    stack = take.text(body.get("stack"), "stack", fields.STACK)
    type_ = take.text(body.get("type"), "type")
    if not type_:
        type_ = messages.split(message[: messages.MAX])[0] or _type_of(stack)
    header = "" if messages.WRAPPED.match(message) else message  # the frames are in that message
    frames = stacks.parse(stack, header) if stack else []
    type_, message = messages.unwrapped(type_, message)
    if len(frames) == stacks.MAX_FRAMES:
        take.note("stack")
    return ExceptionInfo(type_, message, frames)


def _type_of(stack: str) -> str:
    return messages.split(stack[:200].partition("\n")[0])[0] if stack else ""


def _source(take: FieldReader, body: dict[str, Any]) -> Frame | None:
    source = take.text(body.get("source"), "source", fields.TEXT)
    return (
        make("", source, whole(body.get("line"), 1), whole(body.get("column"), 1))
        if source
        else None
    )


def _client_fingerprint(take: FieldReader, value: Any) -> list[str]:
    if isinstance(value, str):
        value = [value]
    return [text for one in items(value, 20) if (text := take.text(one, "fingerprint"))]


VARYING = (
    *("id", "ts", "first_ts", "n", "user", "tags", "page"),
    *("referrer", "sdk", "extra", "context", "breadcrumbs"),
)
"""Fields that say nothing of what was thrown: `read_counted` and `_read_shown` alone read them."""


def read_counted(take: FieldReader, details: ParsedEvent, body: dict[str, Any]) -> None:
    """What is counted of the circumstances."""
    details.page = take.text(body.get("page"), "page", fields.TEXT)
    details.release = take.text(body.get("release"), "release")
    details.dist = take.text(body.get("dist"), "dist")
    details.environment = take.text(body.get("environment"), "environment")
    details.n = min(whole(body.get("n"), 1) or 1, MOST)
    details.user = take.words(body.get("user"), "user", 20)
    details.tags = take.words(body.get("tags"), "tags")


def _read_shown(take: FieldReader, details: ParsedEvent, body: dict[str, Any]) -> None:
    """What only samples show."""
    details.referrer = take.text(body.get("referrer"), "referrer", fields.TEXT)
    details.sdk = take.text(body.get("sdk"), "sdk", 50)
    details.ts, details.first_ts = whole(body.get("ts")), whole(body.get("first_ts"))
    around = {"context": body["context"]} if body.get("context") else {}
    details.extra = take.tree({**mapping(body.get("extra")), **around}, "extra")
    details.breadcrumbs = [_breadcrumb(take, one) for one in _last(take, body.get("breadcrumbs"))]


MOST = 1_000_000  # occurrences that one report may stand for: a page cannot honestly throw more


def _last(take: FieldReader, value: Any) -> list[dict[str, Any]]:
    found = (
        [one for one in value[-1000:] if isinstance(one, dict)] if isinstance(value, list) else []
    )
    if len(found) > fields.BREADCRUMBS:
        take.note("breadcrumbs")
    return found[-fields.BREADCRUMBS :]


def _breadcrumb(take: FieldReader, one: dict[str, Any]) -> dict[str, Any]:
    return {
        "ts": whole(one.get("ts")),
        "kind": take.text(one.get("kind"), "breadcrumbs", 50),
        "message": take.text(one.get("message"), "breadcrumbs", 500),
        "data": take.tree(one.get("data"), "breadcrumbs"),
    }
