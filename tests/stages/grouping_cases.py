"""The recorded cases, and how they become reports."""

from __future__ import annotations

import json
from pathlib import Path

import orjson

from catchwater.answers import Emit
from catchwater.config.filters import Filters
from catchwater.event import Event
from stages.fingerprint import answer as answer_of
from stages.project_settings import ProjectSettings

NO_FILTERS = Filters(
    extensions=False, injected_scripts=False, resize_observer=False, crawlers=False
)
DATA = Path(__file__).parents[1] / "data" / "grouping"
ENGINES = ("chromium156", "firefox153", "webkit250")
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Safari/537.36"
)
CHROME_FACTS = {"user_agent": CHROME, "origin": "https://shop.example", "ip": "203.0.113.7"}
SNIPPET_FIELDS = [
    "id",
    "ts",
    "type",
    "message",
    "stack",
    "source",
    "line",
    "column",
    "mechanism",
    "page",
    "referrer",
    "release",
    "environment",
    "level",
    "user",
    "tags",
    "extra",
    "breadcrumbs",
    "cause",
    "n",
    "first_ts",
    "sdk",
    "surprise",
]
NAMED_FIELDS = {
    "id",
    "project",
    "received",
    "ts",
    "kind",
    "fingerprint",
    "fingerprints",
    "type",
    "message",
    "culprit",
    "level",
    "mechanism",
    "frames",
    "chain",
    "page",
    "referrer",
    "release",
    "environment",
    "user",
    "tags",
    "extra",
    "breadcrumbs",
    "browser",
    "os",
    "device",
    "awaits",
    "dist",
    "user_agent",
    "n",
    "first_ts",
    "sdk",
    "cut",
    "used",
    "ignored",
}
MECHANISMS = {"window.onerror": "onerror", "error-event(capture)": "resource"}


def load(name: str):
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def emitted(kind: str, body, **facts) -> Event:
    """The event that the stage makes of a raw body (an object, or bytes)."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    answer = answer_of(
        Event("0" * 32, "1", 1_763_900_000_000, kind, raw, facts), ProjectSettings(NO_FILTERS)
    )
    assert isinstance(answer, Emit), answer
    return answer.event


def named(kind: str, body, **facts):
    """The named body."""
    return emitted(kind, body, **facts).json


def of_pair(side) -> tuple[str, dict]:
    """One side of a grouping pair as the report that would have brought it."""
    if side["kind"] == "csp":
        told = {
            "effective-directive": side["effective_directive"],
            "blocked-uri": side["blocked_url"],
        }
        return "csp", {"csp-report": {**told, "document-uri": side["document_url"]}}
    onerror = side.get("onerror") or {}
    message = onerror.get("message") if side["type"] is None and onerror else side["value"]
    report = {
        "type": side["type"],
        "message": message,
        "stack": side["stack"],
        "source": onerror.get("filename"),
        "line": onerror.get("lineno"),
        "column": onerror.get("colno"),
        "mechanism": MECHANISMS.get(side["mechanism"], side["mechanism"]),
        "page": side.get("page_url"),
        "release": side.get("release"),
        "fingerprint": side.get("fingerprint"),
        "cause": [
            {"type": one["type"], "message": one["value"]} for one in side.get("chain") or []
        ],
    }
    return "snippet", report


def of_capture(record) -> dict:
    """What the snippet would have sent for a recorded window.onerror or rejection."""
    thrown = record.get("error") or record.get("reason")
    error = thrown if isinstance(thrown, dict) else {}
    is_error = error.get("name") is not None or error.get("stack") is not None
    return {
        "type": error.get("name"),
        "message": error.get("message")
        if is_error
        else record.get("message") or _not_an_error(error),
        "stack": error.get("stack"),
        "source": record.get("filename") or record.get("src"),
        "line": record.get("lineno"),
        "column": record.get("colno"),
        "mechanism": MECHANISMS.get(record["via"], record["via"]),
    }


def _not_an_error(thrown) -> str:
    """What the snippet says of a thrown value that is no Error."""
    keys = ", ".join(sorted(set(thrown) - {"tag", "primitive", "type"}))
    return thrown.get("primitive") or f"Object captured as promise rejection with keys: {keys}"


def captures():
    """(engine, scenario, via, report) of every recording."""
    for engine in ENGINES:
        for record in load(f"browser_reports/{engine}.json")["records"]:
            yield engine, record["scenario"], record["via"], of_capture(record)


def events() -> list[tuple[str, dict]]:
    """(kind, body) of every recorded SDK event and browser report."""
    lines = (DATA / "events.jsonl").read_bytes().splitlines()
    return [(one["kind"], one["body"]) for one in map(json.loads, lines)]
