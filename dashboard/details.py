"""A sample as its page shows it: everything as text, whatever types a hostile client sent. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from dashboard.json_fields import mapping, sequence, text

if TYPE_CHECKING:
    from catchwater.event import Json

FACTS = {
    "id": "Event",
    "received": "Received",
    "ts": "Browser's clock",
    "project": "Project",
    "culprit": "Culprit",
    "mechanism": "Caught by",
    "kind": "Sent as",
    "page": "Page",
    "referrer": "Came from",
    "release": "Release",
    "dist": "Dist",
    "environment": "Environment",
    "browser": "Browser",
    "os": "System",
    "device": "Device",
    "user_agent": "User agent",
    "sdk": "Sent by",
    "n": "Stands for",
    "first_ts": "First of them",
    "cut": "Cut, too long",
    "scrubbed": "Taken out as private",
    "fingerprint": "Fingerprint",
}
"""What the page calls the fields of a sample, in their order there."""

_CLOCKS = ("received", "ts", "first_ts")


@dataclass(frozen=True, slots=True)
class Value:
    """`data` is whether it was an object or a list: then `text` is its JSON."""

    name: str
    text: str
    data: bool


@dataclass(frozen=True, slots=True)
class Crumb:
    """Something that happened before. `at` is an ISO time or ''."""

    kind: str
    message: str
    data: str
    at: str


@dataclass(frozen=True, slots=True)
class Detail:
    type: str
    message: str
    level: str
    facts: list[Value]
    user: list[Value]
    tags: list[Value]
    extra: list[Value]
    crumbs: list[Crumb]


def detail(event: Json) -> Detail:
    return Detail(
        type=_plain(event.get("type")) or "Error",
        message=_plain(event.get("message")),
        level=text(event.get("level")) or "error",
        facts=[_fact(event, name) for name in FACTS if _worth(event, name)],
        user=_values(event.get("user")),
        tags=_values(event.get("tags")),
        extra=_values(event.get("extra")),
        crumbs=[_crumb(mapping(one)) for one in sequence(event.get("breadcrumbs"))],
    )


def _worth(event: Json, name: str) -> bool:
    """Whether to show a fact: it is there, and it is more than the usual one occurrence."""
    value = event.get(name)
    return value not in (None, "", [], {}) and not (name == "n" and value == 1)


def _fact(event: Json, name: str) -> Value:
    value = event[name]
    shown = (
        value.replace("T", " ").replace("Z", " UTC")
        if name in _CLOCKS and isinstance(value, str)
        else value
    )
    return Value(FACTS[name], _plain(shown), isinstance(value, dict | list))


def _values(found: Any) -> list[Value]:
    """The members of an object; anything else as one value without a name."""
    members = found if isinstance(found, dict) else {"": found} if found else {}
    return [
        Value(name, _plain(value), isinstance(value, dict | list))
        for name, value in members.items()
    ]


def _crumb(found: Json) -> Crumb:
    data = found.get("data")
    at = found.get("ts")
    shown = _plain(data) if data not in (None, {}, [], "") else ""
    return Crumb(
        _plain(found.get("kind")),
        _plain(found.get("message")),
        shown,
        at if isinstance(at, str) else "",
    )


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return (
        value
        if isinstance(value, str)
        else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    )
