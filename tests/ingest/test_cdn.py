"""A CDN in front, which caches all that it may: nginx, told to keep every answer for ten minutes
where the answer does not say otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import orjson
import pytest

from catchwater.local.servers import free_port
from tests.browser.sites import by_nginx
from tests.ingest.conftest import KEY, Answer, Ingest, made
from tests.sourcemaps.sentry import TOKEN, UPLOAD, served
from tests.waiting import wait_until

CACHE = "proxy_cache_path {folder}/kept keys_zone=cdn:1m; proxy_cache_valid any 10m;"
LOCATION = """
location / {
  proxy_pass http://127.0.0.1:8080;
  proxy_http_version 1.1;
  proxy_set_header Host $http_host;
  proxy_cache cdn;
  add_header X-Cache $upstream_cache_status always;
}
"""


@contextmanager
def in_front_of(behind: int, folder: Path) -> Iterator[int]:
    """The port of a CDN."""
    (folder / "location.conf").write_text(LOCATION)
    port, cache = free_port(), CACHE.format(folder=folder)
    with by_nginx(port, behind, folder, folder / "location.conf", cache):
        yield port


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, answer.read())
    finally:
        connection.close()


@pytest.fixture
def cdn(ingest: Ingest, tmp_path: Path) -> Iterator[int]:
    with in_front_of(ingest.port, tmp_path) as port:
        yield port


@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
def test_scripts_come_from_its_cache_in_the_coding_that_is_asked_for(cdn, ingest, coding):
    path = f"/c/{KEY}.js"
    ask(cdn, "GET", path, Accept_Encoding="deflate")  # another, which is kept beside it
    first, second = (ask(cdn, "GET", path, Accept_Encoding=coding) for _ in range(2))
    own = ask(ingest.port, "GET", path, Accept_Encoding=coding, Host=f"127.0.0.1:{cdn}")
    assert second.headers["x-cache"] == "HIT"
    assert first.body == second.body == own.body
    assert second.headers.get("content-encoding") == own.headers.get("content-encoding")
    assert second.headers["etag"] == own.headers["etag"]


def test_each_report_gets_through(cdn, ingest):
    bodies = [orjson.dumps({"message": "boom", "id": f"{n:032x}"}) for n in range(3)]
    answers = [ask(cdn, "POST", f"/e/{KEY}", body) for body in bodies]
    assert [one.status for one in answers] == [204, 204, 204]
    wait_until(lambda: len(ingest.events()) == 3, "all are there", 60)


def test_a_project_that_was_unknown_is_known_as_soon_as_ingest_knows_it(cdn, ingest):
    path = f"/c/{'9' * 32}.js"
    answers = [ask(cdn, "GET", path) for _ in range(2)]
    assert [(one.status, one.headers["x-cache"]) for one in answers] == [(404, "MISS")] * 2


def test_scripts_that_it_has_are_served_while_ingest_is_away(redis_url, tmp_path):
    path = f"/c/{KEY}.js"
    (tmp_path / "cdn").mkdir()
    with (
        made(redis_url, tmp_path) as ingest,
        in_front_of(ingest.port, tmp_path / "cdn") as port,
    ):
        before = ask(port, "GET", path)
        ingest.stop()
        assert ask(port, "GET", path).body == before.body
        assert ask(port, "POST", f"/e/{KEY}", b"{}").status == 502


def test_nobody_without_the_token_sees_what_one_with_it_was_answered(mongo_url, tmp_path):
    (tmp_path / "cdn").mkdir()
    with served(mongo_url, tmp_path) as own, in_front_of(own.port, tmp_path / "cdn") as port:
        allowed = ask(port, "GET", UPLOAD, Authorization=f"Bearer {TOKEN}")
        stranger = ask(port, "GET", UPLOAD, Authorization="Bearer none")
        assert (allowed.status, stranger.status) == (200, 401)
