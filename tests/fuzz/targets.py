"""What is fuzzed, and the recorded inputs that each starts from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import orjson

from catchwater import errors
from catchwater.answers import Drop, Emit, Reject
from catchwater.event import Event
from ingest import decompression, documents, envelope, reports
from stages.fingerprint import READERS, fingerprint
from stages.grouping import fields, stacks
from tests.stages.grouping_cases import events, load, of_pair

KINDS = sorted(READERS)
FIELDS = ("type", "message", "stack", "page", "source", "mechanism", "release")
SENDER = reports.Sender("1", "Mozilla/5.0", "https://shop.example", "192.0.2.1", 200_000)


def name_an_event(data: bytes) -> None:
    """The first byte chooses the protocol, the rest is the body."""
    kind = KINDS[data[0] % len(KINDS)] if data else KINDS[0]
    answer = fingerprint(Event("0" * 32, "1", 1_763_900_000_000, kind, data[1:]))
    assert isinstance(answer, Emit | Drop | Reject)
    if isinstance(answer, Emit):
        assert len(answer.event.body) <= fields.BODY
        orjson.loads(answer.event.body)
        orjson.dumps(answer.event.facts)


def name_a_report(data: bytes) -> None:
    """Texts of a report, parted by NULs: always a report, so that every byte reaches the naming."""
    texts = data.decode("utf-8", "replace").split("\0")
    report = dict(zip(FIELDS, texts, strict=False))
    for kind, told in (("snippet", report), ("sentry", _as_sentry(report))):
        name_an_event(bytes([KINDS.index(kind)]) + orjson.dumps(told))


def parse_a_stack(data: bytes) -> None:
    """Message and stack, parted by a NUL."""
    message, _, stack = data.decode("utf-8", "replace").partition("\0")
    for frame in stacks.parse(stack, message):
        orjson.dumps(frame.as_json())


def take_a_post(data: bytes) -> None:
    """What ingest does with a body, by each of its protocols. Refusals of its own are answers."""
    refusals = (
        errors.MalformedEnvelopeError,
        errors.InvalidReportError,
        errors.EventTooLargeError,
        errors.ContentEncodingError,
        errors.BodyTooLargeError,
    )
    for read in (reports.from_snippet, reports.from_store, reports.from_reporting, _from_envelope):
        with suppress(*refusals):
            for event in read(SENDER, data).events:
                documents.read(event.body)
    for encoding in ("gzip", "deflate", "br", "zstd"):
        with suppress(*refusals):
            decompression.unpacked(data, encoding, 1_000_000)


def _as_sentry(report: dict[str, str]) -> dict[str, object]:
    frames = [
        {"function": one, "filename": report.get("page", "")}
        for one in report.get("stack", "").split("\n")[:50]
    ]
    error = {
        "type": report.get("type"),
        "value": report.get("message"),
        "stacktrace": {"frames": frames},
    }
    return {"exception": {"values": [error]}, "logentry": {"message": report.get("source", "")}}


def _from_envelope(sender: reports.Sender, data: bytes) -> reports.Post:
    return reports.from_envelope(sender, envelope.parse(data))


def _bodies() -> Iterator[tuple[str, bytes]]:
    for pair in load("grouping_pairs_dev.json")["pairs"]:
        for side in "ab":
            kind, told = of_pair(pair[side])
            yield kind, orjson.dumps(told)
    for kind, told in events():
        yield kind, orjson.dumps(told)


def _named() -> Iterator[bytes]:
    for kind, told in _bodies():
        yield bytes([KINDS.index(kind)]) + told


def _reports() -> Iterator[bytes]:
    for kind, told in _bodies():
        if kind == "snippet":
            found = orjson.loads(told)
            yield "\0".join(str(found.get(name) or "") for name in FIELDS).encode(
                "utf-8", "replace"
            )


def _stacks() -> Iterator[bytes]:
    for case in load("stacks_dev.json")["cases"]:
        yield f"{case.get('message') or ''}\0{case.get('stack') or ''}".encode("utf-8", "replace")


def _posts() -> Iterator[bytes]:
    for _, told in _bodies():
        yield told
        yield b'{"event_id":"%032x"}\n{"type":"event"}\n%s\n' % (len(told), told)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "event": name_an_event,
    "report": name_a_report,
    "stack": parse_a_stack,
    "post": take_a_post,
}
SEEDS: dict[str, Callable[[], Iterator[bytes]]] = {
    "event": _named,
    "report": _reports,
    "stack": _stacks,
    "post": _posts,
}
