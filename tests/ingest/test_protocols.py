"""What each kind of client sends, to a real ingest process, and what stands on the stream
afterwards.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from pathlib import Path

import brotli
import pytest
import zstandard

from tests.ingest.conftest import KEY, OTHER
from tests.waiting import wait_until

ID = "f" * 32
ENVELOPE = f"/api/1/envelope/?sentry_version=7&sentry_key={KEY}&sentry_client=sentry.javascript.browser%2F11.12.0"  # noqa: E501 - one piece of text, as it is sent or run
RECORDINGS = Path(__file__).parents[1] / "data/sdk_requests/requests.jsonl"
RECORDED = [json.loads(line) for line in RECORDINGS.read_bytes().splitlines()]


def envelope(*items, header=None):
    lines = [json.dumps({"event_id": ID} if header is None else header)]
    for item, payload in items:
        lines += [json.dumps({"type": item}), json.dumps(payload)]
    return "\n".join(lines)


def test_a_report_of_the_snippet_is_on_the_stream_when_it_is_answered(ingest):
    answer = ingest.post(
        f"/e/{KEY}",
        json.dumps({"id": ID, "message": "boom"}),
        {"User-Agent": "Firefox", "Origin": "https://a.b"},
    )
    (event,) = ingest.events()
    assert (answer.status, answer.body) == (204, b"")
    assert (event.id, event.project, event.kind, event.json["message"]) == (
        ID,
        "1",
        "snippet",
        "boom",
    )
    assert event.facts == {"user_agent": "Firefox", "origin": "https://a.b", "ip": "127.0.0.1"}


def test_an_array_of_reports_is_an_event_each(ingest):
    assert ingest.post(f"/e/{KEY}", '[{"message":"a"},{"message":"b"}]').status == 204
    assert sorted(event.json["message"] for event in ingest.events()) == ["a", "b"]


def test_an_envelope_brings_its_events_and_nothing_else(ingest):
    items = [("session", {}), ("event", {"message": "boom"}), ("replay_event", {}), ("made_up", {})]
    answer = ingest.post(ENVELOPE, envelope(*items))
    assert (answer.status, json.loads(answer.body)) == (200, {"id": ID})
    assert [(event.id, event.kind, event.json) for event in ingest.events()] == [
        (ID, "sentry", {"message": "boom"})
    ]


def test_the_header_s_id_wins_over_the_payload_s(ingest):
    ingest.post(ENVELOPE, envelope(("event", {"event_id": "0" * 32})))
    assert [event.id for event in ingest.events()] == [ID]


def test_an_id_may_have_dashes_and_capitals(ingest):
    ingest.post(
        ENVELOPE,
        envelope(("event", {}), header={"event_id": "F" * 8 + "-ffff-ffff-ffff-" + "f" * 12}),
    )
    assert [event.id for event in ingest.events()] == [ID]


@pytest.mark.parametrize("wrong", ["", "xyz", 17, None, "f" * 31, "g" * 32, "f" * 33])
def test_a_wrong_id_is_replaced(ingest, wrong):
    ingest.post(f"/e/{KEY}", json.dumps({"id": wrong, "message": "a"}))
    (event,) = ingest.events()
    assert len(event.id) == 32
    assert event.id != ID


def test_an_item_with_a_length_may_hold_newlines(ingest):
    payload = b'{"message":\n"boom"}'
    body = b'{}\n{"type":"attachment","length":5}\na\nb\nc\n{"type":"event","length":%d}\n%s\n' % (
        len(payload),
        payload,
    )
    assert ingest.post(ENVELOPE, body).status == 200
    assert [event.json for event in ingest.events()] == [{"message": "boom"}]


def test_the_key_may_come_in_a_header_or_in_the_envelope(ingest):
    by_header = {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={KEY}, sentry_client=x/1"}
    assert ingest.post("/api/1/envelope/", envelope(("event", {})), by_header).status == 200
    dsn = {"event_id": "1" * 32, "dsn": f"http://{KEY}@127.0.0.1:8080/1"}
    assert ingest.post("/api/1/envelope/", envelope(("event", {}), header=dsn)).status == 200
    assert (
        ingest.post("/api/1/store/", "{}", {"Authorization": f"Sentry sentry_key={KEY}"}).status
        == 200
    )
    assert len(ingest.events()) == 3


def test_what_is_not_stored_is_told_to_the_sdk_on_every_answer(ingest):
    headers = ingest.post(ENVELOPE, envelope(("event", {}))).headers
    limits = headers["x-sentry-rate-limits"]
    assert limits.startswith("86400:")
    assert {"transaction", "session"} <= set(limits.split(":")[1].split(";"))
    assert "error" not in limits.split(":")[1].split(";")
    assert "x-sentry-rate-limits" in headers["access-control-expose-headers"]


def test_a_client_report_is_counted_as_the_client_s_own_losses(ingest):
    losses = [
        {"reason": "ratelimit_backoff", "category": "error", "quantity": 6},
        {"reason": "ratelimit_backoff", "category": "session", "quantity": 60},
        {"reason": "invented", "category": "error", "quantity": 2},
        {"reason": "network_error", "category": "error", "quantity": "many"},
    ]
    body = envelope(("client_report", {"timestamp": 1, "discarded_events": losses}), header={})
    assert ingest.post(ENVELOPE, body).status == 200
    wait_until(
        lambda: ingest.losses().get("client:ratelimit_backoff") == 6,
        "the losses are in Redis",
    )
    assert ingest.losses()["client:other"] == 2
    assert ingest.events() == []


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
        ("identity", bytes),
    ],
)
def test_packed_bodies_are_unpacked(ingest, encoding, pack):
    body = pack(envelope(("event", {"message": "boom"})).encode())
    assert ingest.post(ENVELOPE, body, {"Content-Encoding": encoding}).status == 200
    assert [event.json for event in ingest.events()] == [{"message": "boom"}]


def test_browsers_own_reports_are_taken_in_every_form(ingest):
    array = '[{"type":"deprecation","age":1,"url":"https://a.b/","body":{"id":"x"}},{"type":"crash","body":{}}]'
    assert (
        ingest.post(f"/r/{KEY}", array, {"Content-Type": "application/reports+json"}).status == 204
    )
    assert ingest.post(f"/r/{KEY}", '{"type":"csp-violation","url":"u","body":{}}').status == 204
    csp = '{"csp-report":{"blocked-uri":"x"}}'
    assert ingest.post(f"/r/{KEY}", csp, {"Content-Type": "application/csp-report"}).status == 204
    assert ingest.post(f"/api/1/security/?sentry_key={KEY}", csp).status == 204
    assert sorted(event.kind for event in ingest.events()) == [
        "csp",
        "csp",
        "report",
        "report",
        "report",
    ]


def test_a_project_that_is_gone_makes_browsers_forget_the_address(ingest):
    assert ingest.post(f"/r/{OTHER}", "[]").status == 410
    assert ingest.post(f"/e/{OTHER}", "{}").status == 403


def test_a_lone_surrogate_does_not_cost_the_event(ingest):
    assert (
        ingest.post(
            f"/e/{KEY}", b'{"message":"half \\ud83d of a pair, \\ud83d\\ude00 whole"}'
        ).status
        == 204
    )
    assert [event.json["message"] for event in ingest.events()] == [
        "half \ufffd of a pair, \U0001f600 whole"
    ]


def test_the_script_is_set_up_for_its_project_and_cached(ingest):
    answer = ingest.get(f"/c/{KEY}.js")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert f'"http://127.0.0.1:{ingest.port}/e/{KEY}"'.encode() in answer.body
    assert b"__CATCHWATER" not in answer.body
    again = ingest.get(f"/c/{KEY}.js", **{"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert ingest.get(f"/c/{'9' * 32}.js").status == 404


def test_a_host_header_cannot_break_out_of_the_script(ingest):
    answer = ingest.get(f"/c/{KEY}.js", Host='x"</script><script>alert(1)//')
    assert b"<script>" not in answer.body


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: one["file"])
def test_recorded_requests_get_the_answer_their_clients_expect(ingest, one):
    """Every request of the recordings is replayed as it was sent; errors among them must come
    out as events.
    """
    request, sdk = one["request"], one["capture"]["sdk"]
    body = (
        base64.b64decode(request["body_base64"])
        if request["body_base64"]
        else (request["body_utf8"] or "").encode()
    )
    headers = {
        k: v
        for k, v in request["headers"].items()
        if k.lower() in ("content-type", "origin", "user-agent", "referer")
    }
    path, expected = _replayed(sdk, request, body)
    answer = ingest.request(
        request["method"], path, body if request["method"] == "POST" else None, headers
    )
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.status in expected, (path, answer)
    if sdk.startswith("sentry") and request["method"] == "POST":
        errors = body.count(b'\n{"type":"event"}\n') if answer.status == 200 else 0
        assert len(ingest.events()) == errors
        assert all(event.json for event in ingest.events())


def _replayed(sdk, request, body):
    """Where this request would go if it were set up for Catchwater, and what it may be answered."""
    if request["method"] == "OPTIONS":
        return f"/r/{KEY}", {204}
    if sdk == "browser-reporting" and request["url"] != "/observed":
        return f"/r/{KEY}", {204}
    if sdk.startswith("sentry"):
        path, _, query = request["url"].partition("?")
        key = dict(part.partition("=")[::2] for part in query.split("&")).get("sentry_key")
        if path == "/tunnel":
            return "/api/42/envelope/", {
                403
            }  # its DSN is another server's: only the shape can be read
        return f"/api/42/envelope/?{query}".replace(str(key), "a" * 32), {200}
    return request["url"], {404}


LEFT_OUT = [
    ({"dropped": "cap", "n": 3}, {"cap": 3}),
    ({"dropped": "made_up", "n": 2}, {"other": 2}),
    ({"dropped": "before", "n": "many"}, {"before": 0}),
    ({"dropped": "sample", "n": -7}, {"sample": 0}),
    ({"dropped": "ignored", "n": 10**12}, {"ignored": 1_000_000}),
]


@pytest.mark.parametrize(("told", "counts"), LEFT_OUT)
def test_what_the_snippet_left_out_is_an_event_with_an_id_of_its_own(ingest, told, counts):
    assert (
        ingest.post(f"/e/{KEY}", json.dumps([{"id": ID, **told}, {"message": "x"}]).encode()).status
        == 204
    )
    left_out, report = sorted(ingest.events(), key=lambda event: event.kind)
    assert (left_out.id, left_out.kind, left_out.facts) == (ID, "client_report", counts)
    assert report.kind == "snippet"


@pytest.mark.parametrize(
    "report", [{"dropped": "cap", "message": "x"}, {"dropped": 7}, {"dropped": {"cap": 1}}]
)
def test_a_report_that_has_a_field_of_that_name_is_a_report(ingest, report):
    assert ingest.post(f"/e/{KEY}", json.dumps(report).encode()).status == 204
    assert [event.kind for event in ingest.events()] == ["snippet"]


@pytest.mark.parametrize("key", ["51" * 16, "b" * 32, "c" * 32])
def test_every_valid_key_of_a_project_is_accepted_at_every_address(ingest, key):
    event = json.dumps({"event_id": "1" * 32, "message": "x"})
    dsn = json.dumps({"dsn": f"https://{key}@errors.example/51"})
    item = json.dumps({"type": "event", "length": len(event)})
    posts = [
        (f"/e/{key}", json.dumps({"message": "x"})),
        (f"/r/{key}", json.dumps({"csp-report": {"blocked-uri": "inline"}})),
        (f"/api/51/store/?sentry_key={key}", event),
        (f"/api/51/envelope/?sentry_key={key}", f"{{}}\n{item}\n{event}\n"),
        ("/api/51/envelope/", f"{dsn}\n{item}\n{event}\n"),
    ]
    answers = [ingest.post(path, body).status for path, body in posts]
    assert all(200 <= one < 300 for one in answers), answers
    assert {event.project for event in ingest.events()} == {"51"}
    assert len(ingest.events()) == len(posts)
    assert f"/e/{key}".encode() in ingest.get(f"/c/{key}.js").body
