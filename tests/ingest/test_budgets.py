"""A request costs what it weighs: bombs of every kind neither fill the memory of ingest nor keep
anybody else out.
"""

from __future__ import annotations

import gzip
import json
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import brotli
import orjson
import pytest
import zstandard

from catchwater.errors import EventTooLargeError, InvalidJsonError, RefusedRequestError
from ingest import documents
from ingest.in_flight import SMALL, InFlight
from ingest.settings import Limits
from tests.ingest import bombs
from tests.ingest.conftest import KEY, Ingest, made

RECORDED = "/e/" + "a" * 32
"""The address of another project."""

MOST_MEMORY = 180_000_000
"""Bytes that ingest may ever have: itself 70 MB, 32 MB of posts twice, an unpacker's window, and
what the allocator keeps from test to test.
"""


@pytest.fixture(scope="module")
def bombed(redis_server, tmp_path_factory):
    with made(redis_server, tmp_path_factory.mktemp("bombed")) as one:
        yield one


@pytest.fixture(autouse=True)
def forget_peak(request):
    """The peak of an earlier test is not this one's."""
    if "bombed" in request.fixturenames:
        request.getfixturevalue("bombed").forget_peak()


@pytest.mark.parametrize("name", bombs.BOMBS)
def test_a_bomb_is_answered_and_costs_next_to_nothing(bombed, redis_url, name):
    bomb = bombs.BOMBS[name]
    answer = bombed.post(bomb.path, bomb.make(), bomb.headers)
    assert answer.status in (200, 204, 400, 401, 403, 413)
    assert len(answer.body) < 500
    assert bombed.post(RECORDED, "{}").status == 204
    assert bombed.peak_memory() < MOST_MEMORY


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("br", lambda text: brotli.compress(text, quality=4, lgwin=24)), ("zstd", zstandard.compress)],
    ids=["brotli", "zstd"],
)
def test_many_packed_posts_at_once_have_few_windows_at_once(bombed, redis_url, encoding, pack):
    """A window has up to 16 MB, whatever the body weighs."""
    noise = random.Random(1).randbytes(150_000)
    body = pack(b"{}\n" + b'{"type":"x","length":14000000}\n' + (noise * 100)[:14_000_000])
    headers = {"Content-Encoding": encoding}
    with ThreadPoolExecutor(12) as clients:
        posts = [clients.submit(bombed.post, bombs.ENVELOPE, body, headers) for _ in range(24)]
        statuses = {post.result().status for post in posts}
    assert statuses <= {200, 503}
    assert 200 in statuses
    assert bombed.peak_memory() < MOST_MEMORY


def head(path: str, length: int) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()


def opened(ingest: Ingest, path: str, length: int, sent: int) -> socket.socket:
    """A post of which only the first `sent` bytes come, as far as they are read."""
    one = socket.create_connection(("127.0.0.1", ingest.port), timeout=10)
    one.setblocking(False)  # noqa: FBT003 - the name of the method says it
    rest = memoryview(head(path, length) + b"{}\n" + b"x" * sent)
    deadline = time.monotonic() + 2
    while rest and time.monotonic() < deadline:
        try:
            rest = rest[one.send(rest) :]
        except BlockingIOError:
            break
        except OSError:  # refused, and closed
            break
    return one


@pytest.mark.parametrize(
    "path", [bombs.KEYLESS, bombs.ENVELOPE, bombs.SNIPPET], ids=["no key", "envelope", "snippet"]
)
def test_sixty_posts_that_are_held_open_keep_nobody_out(bombed, redis_url, path):
    """Those without a key are not read at all; one project never has all of the room."""
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(opened(bombed, path, 19_000_000, 18_000_000))
        for _ in range(20):
            assert bombed.post(RECORDED, "{}").status == 204
            assert bombed.post(bombs.SNIPPET, "{}").status == 204
        assert bombed.peak_memory() < MOST_MEMORY


def test_an_envelope_without_a_key_is_refused_by_its_first_line(bombed, redis_url):
    """Nothing behind it is waited for."""
    line = b'{"dsn":"https://%s@h/1"}\n' % (b"9" * 32)
    with socket.create_connection(("127.0.0.1", bombed.port), timeout=10) as one:
        one.sendall(head(bombs.KEYLESS, 10_000_000) + line)
        assert one.recv(4096).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_an_envelope_whose_header_names_the_project_is_taken_in_parts(bombed, redis_url, packed):
    body = bombs.HEADER + bombs.ITEM + b'{"message":"boom"}\n' + b'{"type":"x"}\n' + b"y" * 200_000
    sent = gzip.compress(body) if packed else body
    headers = b"Content-Encoding: gzip\r\n" if packed else b""
    start = head(bombs.KEYLESS, len(sent))[:-2] + headers + b"\r\n"
    with socket.create_connection(("127.0.0.1", bombed.port), timeout=10) as one:
        for at in range(0, len(sent), 50_000):
            one.sendall((b"" if at else start) + sent[at : at + 50_000])
        assert one.recv(4096).startswith(b"HTTP/1.1 200")
    assert [event.json for event in bombed.events()] == [{"message": "boom"}]


def test_an_event_that_is_too_large_is_cut_and_says_so(bombed, redis_url):
    body = {"message": "boom", "extra": {"state": "x" * 700_000}, "event_id": "e" * 32}
    assert bombed.post(bombs.STORE, json.dumps(body)).status == 200
    assert bombed.post(bombs.SNIPPET, json.dumps([body, {"message": "small"}])).status == 204
    large = [event for event in bombed.events() if event.json["message"] == "boom"]
    assert [event.facts["cut"] for event in large] == [["extra"], ["extra"]]
    assert all(len(event.body) <= 200_000 for event in large)
    (small,) = [event for event in bombed.events() if event.json["message"] == "small"]
    assert "cut" not in small.facts


def test_nothing_of_what_came_is_repeated_at_length(bombed, redis_url):
    for path, body, headers in (
        (bombs.ENVELOPE, b'{}\n{"type":"event","length":"' + b"x" * 9000 + b'"}\n{}', {}),
        (bombs.SNIPPET, b"{}", {"Content-Encoding": "x" * 4000}),
        ("/" + "x" * 4000, b"{}", {}),
        ("/e/" + "x" * 4000, b"{}", {}),
    ):
        answer = bombed.post(path, body, headers)
        assert answer.status >= 400
        assert len(orjson.loads(answer.body)["error"]) <= 200


# A project's rate -------------------------------------------------------------------------------

SLOW = "/e/" + "4" * 32
"""May send 2 events a second."""


def test_posts_that_are_held_open_do_not_pass_a_rate_and_leave_little_to_pay(redis_url, tmp_path):
    """100 posts of 100 reports were 10,000 events, and closed the project for 33 minutes."""
    body = b"[" + b"{}," * 99 + b"{}]"
    with made(redis_url, tmp_path) as ingest, ExitStack() as stack:
        held = []
        for _ in range(100):
            one = socket.create_connection(("127.0.0.1", ingest.port), timeout=10)
            held.append(stack.enter_context(one))
            one.sendall(head(SLOW, len(body)) + body[:-1])
        for one in held:
            one.sendall(body[-1:])
        answers = [one.recv(4096) for one in held]
        taken = [one for one in answers if one.startswith(b"HTTP/1.1 204")]
        assert 1 <= len(taken) <= 3
        assert len(ingest.events()) == 100 * len(taken)
        waits = [
            int(one.partition(b"Retry-After: ")[2].split()[0])
            for one in answers
            if one not in taken
        ]
        assert max(waits) <= 10
        assert ingest.post(f"/e/{KEY}", "{}").status == 204


def test_all_processes_share_a_projects_rate(redis_url, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with made(redis_url, tmp_path / "a") as one, made(redis_url, tmp_path / "b") as two:
        assert one.post(SLOW, "[" + "{}," * 99 + "{}]").status == 204
        refused = two.post(SLOW, "{}")
        assert refused.status == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 10


def test_a_rate_holds_while_redis_is_away(own_redis, tmp_path):
    (tmp_path / "ingest").mkdir()
    with made(own_redis.url, tmp_path / "ingest") as ingest:
        own_redis.stop()
        statuses = [ingest.post(SLOW, "{}").status for _ in range(8)]
        assert statuses.count(204) >= 2
        assert 429 in statuses


# The room for posts -----------------------------------------------------------------------------


def test_one_project_never_has_all_of_the_room_and_small_posts_always_get_in():
    room = InFlight(1_000_000)
    with room.post("1", alone=False) as large:
        large.add(650_000)
        with pytest.raises(RefusedRequestError):
            large.add(1)
        with room.post("1", alone=False) as small, room.post("2", alone=False) as other:
            small.add(SMALL)
            with pytest.raises(RefusedRequestError):
                small.add(1)
            other.add(250_000)
            with pytest.raises(RefusedRequestError):
                other.add(100_000)
    assert room.bytes == 0


def test_a_project_that_is_alone_may_have_all_of_the_room():
    room = InFlight(1_000_000)
    with room.post("1", alone=True) as post:
        post.add(1_000_000)
        with pytest.raises(RefusedRequestError):
            post.add(1)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"[" + b"[]," * 30_000 + b"1]", EventTooLargeError),
        (b'{"a":"\\ud800' + b"x" * 300_000 + b'"}', InvalidJsonError),
    ],
    ids=["many values", "half a pair in a long text"],
)
def test_a_document_that_takes_long_to_read_is_refused_before_it_is_read(text, error):
    with pytest.raises(error):
        documents.read(text)


def test_what_real_clients_send_is_far_below_the_bounds():
    recorded = Path(__file__).parents[1] / "data" / "sdk_requests" / "requests.jsonl"
    bodies = [
        (orjson.loads(line)["request"]["body_utf8"] or "").encode()
        for line in recorded.read_bytes().splitlines()
    ]
    values = [body.count(b",") + body.count(b"[") + body.count(b"{") for body in bodies]
    assert len([body for body in bodies if body]) > 100
    assert max(values) < documents.MOST_VALUES / 10
    assert max(map(len, bodies)) < Limits().event_bytes
