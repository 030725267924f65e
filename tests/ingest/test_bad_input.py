"""Bad input gets a clear answer and harms nobody: no 5xx, nothing lost beside it, each counted
by its reason.
"""

from __future__ import annotations

import gzip
import json
import socket
import time
import zlib

import brotli
import pytest
import zstandard

from tests.ingest.conftest import KEY
from tests.waiting import wait_until

E = f"/e/{KEY}"
ENV = f"/api/1/envelope/?sentry_key={KEY}"
BOMB = b"[" + b"0," * 15_000_000 + b"0]"


def items(payload: bytes) -> bytes:
    return b'{}\n{"type":"event"}\n' + payload


BAD = [
    ("not JSON", E, b"message=boom", {}, 400, "malformed"),
    ("empty", E, b"", {}, 400, "malformed"),
    ("not UTF-8", E, b'{"message":"\xff\xfe"}', {}, 400, "malformed"),
    ("a number", E, b"17", {}, 400, "malformed"),
    ("an array of numbers", E, b"[1]", {}, 400, "malformed"),
    ("too many reports", E, b"[" + b"{}," * 200 + b"{}]", {}, 400, "malformed"),
    ("10,000 levels deep", E, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, {}, 400, "malformed"),
    (
        "10,000 levels deep and half a pair",
        E,
        b'{"s":"\\ud800","a":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
        {},
        400,
        "malformed",
    ),
    (
        "so large that it is cut, and deeper than can be written again",
        E,
        b'{"message":"' + b"x" * 300_000 + b'","a":' + b"[" * 900 + b"]" * 900 + b"}",
        {},
        400,
        "malformed",
    ),
    ("NaN", E, b'{"a":NaN}', {}, 400, "malformed"),
    ("a 10 MB message", E, b'{"message":"' + b"x" * 10_000_000 + b'"}', {}, 413, "too_large"),
    ("a 30 MB body", E, b'{"message":"' + b"x" * 30_000_000 + b'"}', {}, 413, "too_large"),
    ("an envelope without a header", ENV, b"", {}, 400, "malformed"),
    ("an envelope of lists", ENV, b"[]\n[]\n[]", {}, 400, "malformed"),
    ("an item without an object", ENV, b'{}\n17\n{"a":1}', {}, 400, "malformed"),
    (
        "an item that is longer than it says",
        ENV,
        b'{}\n{"type":"event","length":999}\n{}',
        {},
        400,
        "malformed",
    ),
    (
        "an item of negative length",
        ENV,
        b'{}\n{"type":"event","length":-5}\n{}',
        {},
        400,
        "malformed",
    ),
    ("an event that is not JSON", ENV, items(b"boom"), {}, 400, "malformed"),
    ("an event that is a list", ENV, items(b"[]"), {}, 400, "malformed"),
    (
        "an event of 2 MB",
        ENV,
        items(b'{"message":"' + b"x" * 2_000_000 + b'"}'),
        {},
        413,
        "too_large",
    ),
    ("a thousand items", ENV, b"{}" + b'\n{"type":"event"}\n{}' * 1000, {}, 400, "malformed"),
    ("a gzip bomb", E, gzip.compress(BOMB), {"Content-Encoding": "gzip"}, 413, "too_large"),
    ("a deflate bomb", E, zlib.compress(BOMB), {"Content-Encoding": "deflate"}, 413, "too_large"),
    (
        "a brotli bomb",
        E,
        brotli.compress(BOMB, quality=3),
        {"Content-Encoding": "br"},
        413,
        "too_large",
    ),
    ("a zstd bomb", E, zstandard.compress(BOMB), {"Content-Encoding": "zstd"}, 413, "too_large"),
    ("not gzip", E, b"{}", {"Content-Encoding": "gzip"}, 400, "encoding"),
    (
        "half a gzip",
        E,
        gzip.compress(b'{"message":"boom"}' * 50)[:40],
        {"Content-Encoding": "gzip"},
        400,
        "encoding",
    ),
    ("an unknown encoding", E, b"{}", {"Content-Encoding": "rot13"}, 400, "encoding"),
    ("no key", "/api/1/envelope/", b'{}\n{"type":"event"}\n{}', {}, 401, "no_key"),
    ("no key to store", "/api/1/store/", b"{}", {}, 401, "no_key"),
    ("a wrong key", "/e/" + "9" * 32, b"{}", {}, 403, "key"),
    ("a wrong key to Sentry's address", "/api/1/envelope/?sentry_key=nope", b"{}", {}, 403, "key"),
    ("another project's key", f"/api/2/envelope/?sentry_key={KEY}", b"{}", {}, 403, "key"),
    (
        "a DSN of another project",
        "/api/1/envelope/",
        b'{"dsn":"https://' + b"4" * 32 + b'@h/4"}\n',
        {},
        403,
        "key",
    ),
    (
        "a page that is not allowed",
        "/e/" + "3" * 32,
        b"{}",
        {"Origin": "https://evil.example"},
        403,
        "origin",
    ),
]


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "reason"),
    [one[1:] for one in BAD],
    ids=[one[0] for one in BAD],
)
def test_bad_input_is_answered_counted_and_harms_nobody(
    ingest, path, body, headers, status, reason
):
    answer = ingest.post(path, body, headers)
    assert answer.status == status
    assert json.loads(answer.body)["error"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert ingest.post(E, '{"message":"beside it"}').status == 204
    assert [event.json["message"] for event in ingest.events()] == ["beside it"]
    # Counts come a second later, so an earlier test's may come with it.
    wait_until(
        lambda: ingest.losses().get(f"refused:{reason}", 0) >= 1,
        f"it is counted as {reason}",
    )


GOOD = [
    b'{"message":"\\u0000"}',
    b'{"extra":{"$where":1,"a.b":{"$c":1}}}',
    b'{"message":"<script>alert(1)</script>"}',
    b'{"message":1e400}',
    b'{"n":123456789012345678901234567890}',
    json.dumps({"message": "x" * 900_000}).encode(),
    b'{"a":' * 200 + b"1" + b"}" * 200,
    b"{}",
    b" \n{}\n ",
]


@pytest.mark.parametrize("body", GOOD, ids=range(len(GOOD)))
def test_what_is_only_strange_is_taken_or_refused_but_never_an_error_of_ours(ingest, body):
    assert ingest.post(E, body).status in (204, 400)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", E, 404),
        ("PUT", E, 404),
        ("POST", "/nowhere", 404),
        ("GET", "/c/x", 404),
        ("DELETE", ENV, 404),
    ],
)
def test_what_is_not_there_is_said_with_cors(ingest, method, path, status):
    answer = ingest.request(method, path, None, {})
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, "*")


@pytest.mark.parametrize("path", [E, ENV, f"/r/{KEY}", "/api/1/store/"])
def test_a_preflight_is_answered_for_every_address(ingest, path):
    asked = {
        "Origin": "https://a.b",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-sentry-auth",
    }
    answer = ingest.request("OPTIONS", path, None, asked)
    assert answer.status == 204
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "x-sentry-auth" in answer.headers["access-control-allow-headers"]


def test_allowed_pages_may_send(ingest):
    for origin in ("https://shop.example", "https://www.blog.example", ""):
        assert (
            ingest.post("/e/" + "3" * 32, "{}", {"Origin": origin} if origin else {}).status == 204
        )
    for origin in (
        "http://shop.example",
        "https://shop.example.evil",
        "https://blog.example",
        "null",
    ):
        assert ingest.post("/e/" + "3" * 32, "{}", {"Origin": origin}).status == 403


def test_a_project_over_its_rate_is_told_how_long_to_wait(ingest):
    path = f"/api/4/envelope/?sentry_key={'4' * 32}"
    answers = [ingest.post(path, items(b"{}")) for _ in range(12)]
    limited = [one for one in answers if one.status == 429]
    assert limited
    assert answers[0].status == 200
    assert int(limited[0].headers["retry-after"]) >= 1
    assert limited[0].headers["x-sentry-rate-limits"].split(":")[1] == "error;default"
    assert ingest.post(E, "{}").status == 204


def raw(ingest, data: bytes):
    connection = socket.create_connection(("127.0.0.1", ingest.port), timeout=30)
    connection.sendall(data)
    return connection


def test_a_body_that_is_longer_than_announced_is_refused_whole(ingest):
    """What follows the announced bytes is no request:

    HTTP's parser says so, and nothing of it is taken.
    """
    with raw(
        ingest, b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}{}{}{}" % E.encode()
    ) as connection:
        assert connection.recv(4096).partition(b"\r\n")[0].endswith(b"400 Bad Request")
    assert ingest.events() == []
    assert ingest.post(E, "{}").status == 204


def test_a_body_without_a_length_is_taken(ingest):
    body = b"2\r\n{}\r\n0\r\n\r\n"
    with raw(
        ingest,
        b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%s" % (E.encode(), body),
    ) as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 204")


@pytest.mark.parametrize(
    "head",
    [
        b"nonsense\r\n\r\n",
        b"POST %s HTTP/1.1\r\nHost: x\r\nReferer: %s\r\nContent-Length: 2\r\n\r\n{}"
        % (E.encode(), b"r" * 40_000),
        b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n{}" % E.encode(),
        b"POST %s HTTP/9.9\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}" % E.encode(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    ],
    ids=["nonsense", "a header too long", "a length that is no number", "another HTTP", "TLS"],
)
def test_what_is_no_http_is_answered_with_cors_and_counted(ingest, head):
    with raw(ingest, head) as connection:
        answer = connection.recv(65_536)
    assert answer.split()[1] == b"400"
    assert b"Access-Control-Allow-Origin: *" in answer
    wait_until(
        lambda: ingest.losses().get("refused:not_http", 0) >= 1, "it is counted"
    )  # an earlier one may come with it


def test_long_cookies_of_the_site_keep_nobody_out(ingest):
    cookies = {"Cookie": "a=" + "x" * 20_000}
    assert ingest.post(E, "{}", cookies).status == 204
    assert ingest.get(f"/c/{KEY}.js", **cookies).status == 200


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(ingest):
    with raw(
        ingest, b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 900000000\r\n\r\n{" % E.encode()
    ) as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_a_client_that_goes_away_in_the_middle_harms_nobody(ingest):
    raw(ingest, b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{" % E.encode()).close()
    assert ingest.post(E, "{}").status == 204


def test_slow_clients_are_sent_away(ingest):
    """One never ends its headers, one never ends its body; each holds a place for a bounded
    time only.
    """
    started = time.monotonic()
    with (
        raw(ingest, b"POST %s HTTP/1.1\r\nHos" % E.encode()) as headers,
        raw(
            ingest, b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{" % E.encode()
        ) as body,
    ):
        answer = body.recv(4096)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"Access-Control-Allow-Origin: *" in answer
        assert headers.recv(4096) == b""
    assert time.monotonic() - started < 60
    assert ingest.post(E, "{}").status == 204


def test_two_events_of_one_id_are_both_taken_and_left_to_dedupe(ingest):
    for message in ("first", "second"):
        assert ingest.post(E, json.dumps({"id": "b" * 32, "message": message})).status == 204
    assert [event.json["message"] for event in ingest.events()] == ["first", "second"]


@pytest.mark.parametrize("name", ["User-Agent", "Origin", "Host", "Referer", "X-Sentry-Auth"])
@pytest.mark.parametrize("path", [E, f"/c/{KEY}.js"])
def test_a_header_that_is_not_utf_8_harms_nobody(ingest, name, path):
    lines = [b"GET" if path.startswith("/c") else b"POST", b" %s HTTP/1.1\r\n" % path.encode()]
    host = b"" if name == "Host" else b"Host: x\r\n"
    head = b"".join(lines) + host + b"Content-Length: 2\r\n%s: a\xff\xfe\r\n\r\n{}" % name.encode()
    with raw(ingest, head) as connection:
        assert int(connection.recv(4096).split()[1]) < 500
    assert ingest.post(E, "{}").status == 204
