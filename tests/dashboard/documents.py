"""Documents as the sink writes them, made by hand so that a change of the schema on either side
is noticed.
"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

import orjson

from catchwater.issues.words import words_of

Document = dict[str, Any]

LIFE = "5eedbeef"
PARTITIONS = ("p1", "p7")


def moment(**ago: float) -> datetime:
    """So long ago, in the whole milliseconds that MongoDB keeps."""
    at = datetime.now(UTC) - timedelta(**ago)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def identity(name: str, project: str = "1") -> str:
    return f"{project}:v1:{blake2b(name.encode(), digest_size=16).hexdigest()}"


def parts(n: int, at: datetime, life: str = LIFE) -> dict[str, int]:
    """`n` as counted by two partitions, in the month of `at`."""
    month = at.strftime("%Y%m")
    return {
        f"{month}-{PARTITIONS[0]}-{life}-1": n - n // 3,
        f"{month}-{PARTITIONS[1]}-{life}-2": n // 3,
    }


def issue(name: str, **given: Any) -> Document:
    seen = given.get("last_seen", moment(minutes=1))
    count = given.get("count", 3)
    document = {
        "_id": identity(name, given.get("project", "1")),
        "project": "1",
        "type": "TypeError",
        "message": f"{name} is not a function",
        "culprit": "app.js in pay",
        "level": "error",
        "first_seen": moment(days=2),
        "last_seen": seen,
        "parts": parts(count, seen),
        "u": {"17": 3, "900": 1},
        "count": count,
        "users": 2,
    } | given
    return document | {"words": words_of(document)}


def hour(of: Document, at: datetime, n: int, more: int = 0) -> Document:
    start = at.replace(minute=0, second=0, microsecond=0)
    document = {
        "_id": f"{of['_id']}:{start:%Y%m%d%H}",
        "issue": of["_id"],
        "project": of["project"],
        "hour": start,
        "parts": parts(n, start),
    }
    return document | ({"more": parts(more, start)} if more else {})


def days(of: Document, counts: dict[datetime, int]) -> list[Document]:
    """Days that are folded, a document for each month."""
    months: dict[datetime, dict[str, int]] = {}
    for at, n in counts.items():
        month = datetime(at.year, at.month, 1, tzinfo=UTC)
        months.setdefault(month, {})[f"{at:%d}"] = n
    return [
        {
            "_id": f"{of['_id']}:{month:%Y%m}",
            "issue": of["_id"],
            "month": month,
            "counts": by_day,
        }
        for month, by_day in months.items()
    ]


def folded(until: datetime) -> Document:
    """What says that days before `until` are folded."""
    return {"_id": "folded", "until": until.replace(hour=0, minute=0, second=0, microsecond=0)}


def tags(of: Document, at: datetime, values: dict[str, dict[str, int]]) -> Document:
    return {
        "_id": f"{of['_id']}:{at:%Y%m}",
        "issue": of["_id"],
        "month": datetime(at.year, at.month, 1, tzinfo=UTC),
        "values": {
            tag: {_escaped(value): parts(n, at) for value, n in counts.items()}
            for tag, counts in values.items()
        },
    }


def _escaped(value: str) -> str:
    return (
        value.replace("%", "%25").replace(".", "%2E").replace("$", "%24").replace("\0", "%00")
        or "%"
    )


def named(of: Document, event: str, received: datetime, **given: Any) -> Document:
    """The body of a named event."""
    return {
        "id": event,
        "project": of["project"],
        "received": milliseconds(received),
        "ts": milliseconds(received) - 40,
        "kind": "snippet",
        "fingerprint": of["_id"].partition(":")[2],
        "fingerprints": {"v1": of["_id"].partition(":")[2]},
        "type": of.get("type", ""),
        "message": of.get("message", ""),
        "culprit": of.get("culprit", ""),
        "level": of.get("level", "error"),
        "mechanism": "onerror",
        "frames": [
            {
                "function": "pay",
                "file": "https://shop.example/app.js",
                "line": 12,
                "column": 7,
                "in_app": True,
            },
            {
                "function": "emit",
                "file": "https://cdn.example/lib.js",
                "line": 1,
                "column": 900,
                "in_app": False,
            },
            {
                "function": "run",
                "file": "https://cdn.example/lib.js",
                "line": 1,
                "column": 950,
                "in_app": False,
            },
            {
                "function": "",
                "file": "https://shop.example/app.js",
                "line": 90,
                "column": 1,
                "in_app": True,
            },
        ],
        "chain": [{"type": "NetworkError", "message": "no route", "frames": []}],
        "page": "https://shop.example/basket",
        "referrer": "https://search.example/",
        "release": "2026.11.3",
        "environment": "production",
        "user": {"id": "u-81"},
        "tags": {"tenant": "north"},
        "extra": {"basket": {"items": 3}},
        "breadcrumbs": [
            {
                "ts": milliseconds(received) - 900,
                "kind": "click",
                "message": "button#pay",
                "data": {"x": 1},
            }
        ],
        "browser": "Chrome 156",
        "os": "Windows 11",
        "user_agent": "Mozilla/5.0 (made up)",
        "n": 1,
        "first_ts": None,
        "sdk": "catchwater/1.2.0",
        "cut": [],
        "used": ["type: TypeError", "frame: app.js pay"],
        "ignored": [{"part": "frame: lib.js emit", "why": "a library's"}],
    } | given


def sample(of: Document, event: str, received: datetime, **given: Any) -> Document:
    return {
        "_id": event,
        "issue": of["_id"],
        "project": of["project"],
        "received": received,
        "event": zlib.compress(orjson.dumps(named(of, event, received, **given))),
    }


def quoted(text: str) -> str:
    """`text` as part of an address."""
    return quote(text, safe="")
