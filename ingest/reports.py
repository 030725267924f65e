"""From a request's body to events, by protocol.

Pure: what each client sends, and nothing more is parsed.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from catchwater.errors import EventTooLargeError, InvalidJsonError, InvalidReportError
from catchwater.event import CLIENT_REPORT, Event
from ingest import documents, envelope
from ingest.client_reports import discarded_by_page
from ingest.trimming import trim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catchwater.event import Json

EVENT_LIMIT = 1_048_576
"""Bytes of one event that is still read: what Sentry's protocol allows."""

POST_BYTES = 2 * EVENT_LIMIT
"""Bytes of a post that is one JSON document."""

CLIENT_REPORT_BYTES = 65_536
"""Bytes of a client report that is still read; the SDKs' have below 1,000."""

MOST_REPORTS = 100
"""Reports in one post; the rest would only be a way to post more at once."""

_EVENT_TYPES = frozenset({"event"})


@dataclass(slots=True)
class Post:
    """What a body came to."""

    events: list[Event] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """Types of items that are accepted with 2xx and not stored."""
    client_reports: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: what later stages want to know about a request."""

    project: str
    user_agent: str
    origin: str
    ip: str
    event_bytes: int
    """How large an event may be; what is longer is cut."""

    def client_report(self, event_id: str, counts: Json) -> Event:
        """What a page left out itself: as exact as an event."""
        return Event(event_id, self.project, int(time.time() * 1000), CLIENT_REPORT, b"{}", counts)

    def event(self, event_id: str, kind: str, report: Json, body: bytes) -> Event:
        """An event of that report, whose text is `body`. It is cut where it is too long.

        Raises EventTooLargeError and InvalidReportError.
        """
        facts: Json = {"user_agent": self.user_agent, "origin": self.origin, "ip": self.ip}
        _check_size(len(body))
        if len(body) > self.event_bytes:
            body, facts["cut"] = _trimmed(report, self.event_bytes)
        return Event(event_id, self.project, int(time.time() * 1000), kind, body, facts)


def from_envelope(sender: Sender, parsed: envelope.Envelope) -> Post:
    """The errors in a Sentry envelope. Raises InvalidReportError or EventTooLargeError."""
    post = Post()
    for item in parsed.items:
        add_item(post, sender, parsed.event_id, item)
    return post


def add_item(post: Post, sender: Sender, event_id: str, item: envelope.Item) -> None:
    """Add what one item of an envelope comes to. Raises as `from_envelope` does."""
    if item.type in _EVENT_TYPES:
        _check_size(len(item.payload))
        first = event_id if not post.events else ""
        post.events.append(_sentry(sender, bytes(item.payload), first))
    elif item.type == "client_report":
        if len(item.payload) <= CLIENT_REPORT_BYTES:
            post.client_reports.append(bytes(item.payload))
    else:
        post.skipped.append(item.type)


def from_store(sender: Sender, body: bytes) -> Post:
    """The one event that Sentry's old `store` endpoint takes."""
    return Post([_sentry(sender, body, "")])


def from_snippet(sender: Sender, body: bytes) -> Post:
    """One report of the snippet, or an array of them."""
    found, clean = _document(body)
    if isinstance(found, dict):
        return Post([_from_page(sender, found, clean)])
    return Post([_from_page(sender, one, _text(one)) for one in _objects(found)])


def _from_page(sender: Sender, report: Json, text: bytes) -> Event:
    event_id = documents.event_id(report.get("id"))
    counts = discarded_by_page(report)
    return (
        sender.client_report(event_id, counts)
        if counts
        else sender.event(event_id, "snippet", report, text)
    )


def from_reporting(sender: Sender, body: bytes) -> Post:
    """Reports of the browser itself:

    Reporting API (one or many), CSP's own report, and WebKit's mixture.
    """
    found, _ = _document(body)
    return Post(
        [
            sender.event(
                documents.event_id(), "csp" if "csp-report" in one else "report", one, _text(one)
            )
            for one in _objects(found)
        ]
    )


def _sentry(sender: Sender, payload: bytes, header_id: str) -> Event:
    _check_size(len(payload))
    found, clean = _document(payload)
    if not isinstance(found, dict):
        raise InvalidReportError("an event must be a JSON object")
    return sender.event(
        documents.event_id(header_id, found.get("event_id")), "sentry", found, clean
    )


def _check_size(size: int) -> None:
    if size > EVENT_LIMIT:
        raise EventTooLargeError(f"an event of {size} bytes; {EVENT_LIMIT} are allowed")


def _document(body: bytes) -> tuple[Any, bytes]:
    try:
        return documents.read(body)
    except InvalidJsonError as error:
        raise InvalidReportError(f"the body is not JSON: {error}") from error


def _text(report: Json) -> bytes:
    with _of_a_report():
        return documents.as_bytes(report)


def _trimmed(report: Json, limit: int) -> tuple[bytes, list[str]]:
    with _of_a_report():
        return trim(report, limit)


@contextmanager
def _of_a_report() -> Iterator[None]:
    """What cannot be written as JSON is a report that is refused."""
    try:
        yield
    except InvalidJsonError as error:
        raise InvalidReportError(f"a report is {error}") from error


def _objects(found: Any) -> list[Json]:
    reports = found if isinstance(found, list) else [found]
    if not all(isinstance(one, dict) for one in reports):
        raise InvalidReportError("a report must be a JSON object")
    if len(reports) > MOST_REPORTS:
        raise InvalidReportError(f"{len(reports)} reports in one post; {MOST_REPORTS} are allowed")
    return reports
