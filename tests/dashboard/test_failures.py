from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from catchwater.local.servers import MongoServer
from tests.dashboard.conftest import NOWHERE
from tests.dashboard.markup import Tags
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from catchwater.redis_client import Connection
    from tests.dashboard.conftest import Open, Site


@pytest.mark.parametrize(
    "path", ["/issues/1:v1:no", "/events/no", "/no", "/issues/", "/static/no.css"]
)
def test_a_page_that_is_not_there_says_so_kindly(site: Site, path: str):
    answer = site.get(path)
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "Nothing is here" in answer.text
    assert "To the issues" in answer.text


def test_the_dashboard_finds_a_mongodb_that_comes_back(
    opened: Open, redis: Connection, tmp_path: Path
):
    server = MongoServer(tmp_path / "mongo")
    server.start()
    site = opened(server.url, redis.url)
    assert site.get("/api/issues").status == 200
    server.kill()
    assert site.get("/api/issues").status == 503
    server.start()
    wait_until(lambda: site.get("/api/issues").status == 200, "the issues are shown again")
    server.stop()


def test_without_mongodb_pages_and_programs_get_a_503(opened: Open, redis: Connection):
    site = opened(NOWHERE, redis.url)
    for path in ("/api/issues", "/api/issues/1:v1:a", "/api/events/x", "/api/projects"):
        answer = site.get(path)
        assert answer.status == 503, path
        assert list(answer.json) == ["error"]
        assert answer.json["error"].startswith("MongoDB is away")
        assert answer.headers["retry-after"] == "3"
        assert answer.headers["cache-control"] == "no-store"
    page = site.get("/")
    assert page.status == 503
    assert "Waiting for a server" in page.text
    assert '<meta http-equiv="refresh" content="3">' in page.text
    assert site.get("/healthz").status == 200


def test_files_are_named_by_their_content_and_kept_for_ever(site: Site):
    page = Tags(site.get("/").text)
    (css,) = [
        str(one["href"])
        for tag, one in page.elements
        if tag == "link" and one["rel"] == "stylesheet"
    ]
    scripts = [str(one["src"]) for tag, one in page.elements if tag == "script"]
    assert scripts
    for address, kind in ((css, "text/css"), *((one, "text/javascript") for one in scripts)):
        answer = site.get(address)
        assert answer.status == 200
        assert answer.headers["content-type"].startswith(kind)
        assert "immutable" in answer.headers["cache-control"]
        assert b"http://" not in answer.body
        assert b"https://" not in answer.body
    assert site.get("/static/..%2fcommand.py").status == 404


def test_head_is_answered_without_a_body(site: Site):
    answer = site.get("/", method="HEAD")
    assert answer.status == 200
    assert answer.body == b""
