"""The snippet as it is served: its addresses, how long they hold, how it is packed, and its
hash.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from base64 import b64encode

import brotli
import pytest

from ingest import snippet
from tests.ingest.conftest import KEY, OTHER, made

UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress, "identity": bytes}
ALIAS = f"/c/{KEY}.js"


def immutable(body, key=KEY):
    return f"/c/{key}.{hashlib.sha256(body).hexdigest()[:16]}.js"


@pytest.fixture(scope="module")
def public(redis_server, tmp_path_factory):
    """An ingest that knows its address, and a project with one of its own."""
    folder = tmp_path_factory.mktemp("public")
    with made(redis_server, folder, "--public-url", "https://errors.example/in/") as one:
        yield one


def test_the_alias_is_cached_for_minutes_and_by_everybody(ingest):
    answer = ingest.get(ALIAS)
    assert answer.status == 200
    assert answer.headers["cache-control"].startswith(
        "public, no-transform, max-age=300, stale-while-revalidate="
    )
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["vary"] == "Accept-Encoding, Host"


def test_the_address_with_the_hash_of_the_content_holds_for_ever(public):
    body = public.get(ALIAS).body
    answer = public.get(immutable(body))
    assert (answer.status, answer.body) == (200, body)
    assert answer.headers["cache-control"] == "public, no-transform, max-age=31536000, immutable"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["vary"] == "Accept-Encoding"


def test_who_asks_for_the_headers_only_gets_the_same_ones(public):
    asked = public.request("HEAD", ALIAS, None, {"Accept-Encoding": "br"})
    got = public.get(ALIAS, **{"Accept-Encoding": "br"})
    named = {"etag", "content-length", "content-encoding", "cache-control"}
    assert (asked.status, asked.body) == (200, b"")
    assert {k: asked.headers[k] for k in named} == {k: got.headers[k] for k in named}


def test_an_old_hash_answers_the_current_script_and_only_for_minutes(public):
    answer = public.get(f"/c/{KEY}.{'0' * 16}.js")
    assert answer.body == public.get(ALIAS).body
    assert answer.headers["cache-control"] == public.get(ALIAS).headers["cache-control"]


@pytest.mark.parametrize(
    "name", ["crumbs", "0", "0" * 15, "0" * 17, "G" * 16, f"{'0' * 16}.{'0' * 16}", ".", ""]
)
def test_what_is_neither_file_nor_hash_is_not_there(ingest, name):
    answer = ingest.get(f"/c/{KEY}.{name}.js")
    assert answer.status == 404
    assert b"known: /c/KEY.js" in answer.body


@pytest.mark.parametrize("key", [OTHER, "9" * 32, "x", "%F0%9F%98%80"])
def test_no_project_or_one_that_is_switched_off_has_no_script(ingest, key):
    for digest in ("", "." + "0" * 16):
        answer = ingest.get(f"/c/{key}{digest}.js")
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (404, "*")


def test_another_project_s_script_has_another_hash(public):
    mine, other = (public.get(f"/c/{key}.js").body for key in (KEY, "3" * 32))
    assert immutable(mine) != immutable(other, KEY)


@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
def test_each_coding_unpacks_to_the_same_script(public, coding):
    answer = public.get(ALIAS, **{"Accept-Encoding": coding})
    assert answer.headers.get("content-encoding", "identity") == coding
    assert UNPACK[coding](answer.body) == public.get(ALIAS).body
    assert len(answer.body) == int(answer.headers["content-length"])


@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
@pytest.mark.parametrize("shape", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
def test_who_has_it_is_told_so(public, coding, shape):
    accepted = {"Accept-Encoding": coding}
    tag = public.get(ALIAS, **accepted).headers["etag"]
    answer = public.get(ALIAS, **accepted, **{"If-None-Match": shape.format(tag.strip('"'))})
    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
    assert {"cache-control", "vary", "access-control-allow-origin"} <= set(answer.headers)


def test_who_has_another_coding_or_another_script_is_sent_this_one(public):
    packed = public.get(ALIAS, **{"Accept-Encoding": "br"}).headers["etag"]
    for known in (packed, packed[:-4] + '"', '"x', "", '"' * 5000):
        assert (
            public.get(ALIAS, **{"If-None-Match": known, "Accept-Encoding": "gzip"}).status == 200
        )


def test_who_refuses_every_coding_is_told_which_there_are(ingest):
    answer = ingest.get(ALIAS, **{"Accept-Encoding": "*;q=0"})
    assert (answer.status, b"br, gzip, identity" in answer.body) == (406, True)


def test_a_public_url_stands_in_the_script_whatever_host_is_asked(public):
    bodies = {public.get(ALIAS, Host=host).body for host in ("a.example", "b.example")}
    assert len(bodies) == 1
    assert f'"https://errors.example/in/e/{KEY}"'.encode() in bodies.pop()


def test_a_project_s_own_address_wins(public):
    projects = public.folder / "projects.yaml"
    projects.write_text(
        projects.read_text()
        + f'  - {{id: "5", name: own, key: "{"5" * 32}", url: "https://own.x/p"}}\n'
    )
    public.stop()
    public.start()
    assert f'"https://own.x/p/e/{"5" * 32}"'.encode() in public.get(f"/c/{'5' * 32}.js").body


@pytest.mark.parametrize("under", ["/assets/cw", "/a", "/a%20b", "/c/e", "//x"])
def test_every_address_is_answered_below_any_path_and_the_script_reports_there(ingest, under):
    script = ingest.get(f"{under}{ALIAS}").body.decode()
    assert (
        re.search(r'"(http[^"]+/e/[^"]+)"', script)[1]
        == f"http://127.0.0.1:{ingest.port}{under}/e/{KEY}"
    )
    assert ingest.post(f"{under}/e/{KEY}", '{"message":"boom"}').status == 204
    assert ingest.post(f"{under}/api/1/store/?sentry_key={KEY}", '{"message":"boom"}').status == 200
    assert ingest.post(f"{under}/r/{KEY}", "[]").status == 204
    assert [event.json["message"] for event in ingest.events()] == ["boom", "boom"]


def test_the_integrity_is_that_of_the_bytes_that_are_served(public):
    body = public.get(ALIAS, **{"Accept-Encoding": "identity"}).body
    expected = snippet.script("", f"https://errors.example/in/e/{KEY}").integrity
    assert expected == f"sha384-{b64encode(hashlib.sha384(body).digest()).decode()}"
