"""What sentry-cli 1 asks, and 2 before 2.15: npm has no program of these, so the requests are made
here. tests/clients runs the oldest that PyPI has, which makes the same ones.
"""

from __future__ import annotations

from contextlib import closing

import orjson
import pytest

from catchwater.sourcemaps.store import MapStore
from tests.sourcemaps.explained import named, simple
from tests.sourcemaps.sentry import API, manifest, served, sha1, zipped

FILES = {
    "_/_/app.js": b"boom(1)",
    "_/_/app.js.map": simple(),
}
TOLD = {
    "_/_/app__js": {
        "type": "minified_source",
        "url": "~/app.js",
        "headers": {"Sourcemap": "app.js.map"},
    },
    "_/_/app__js__map": {"type": "source_map", "url": "~/app.js.map", "headers": {}},
}


@pytest.fixture
def server(mongo, tmp_path):
    with served(mongo, tmp_path) as found:
        yield found


def bundle(**about: object) -> bytes:
    """As sentry-cli 1 makes one: it names organization, project and release itself."""
    told = orjson.loads(manifest(**TOLD)) | {"org": "any", "release": "shop@1"} | about
    return zipped(FILES | {"manifest.json": orjson.dumps(told)})


def assemble(server, raw: bytes, release: str = "shop%401", **more: object):
    body = orjson.dumps({"checksum": sha1(raw), "chunks": [sha1(raw)]} | more)
    return server.ask("POST", f"{API}/releases/{release}/assemble/", body)


def upload(server, raw: bytes):
    """All that such a client asks, in its order. Returns the last answer."""
    status, made = server.ask(
        "POST", "/api/0/projects/any/1/releases/", orjson.dumps({"version": "shop@1"})
    )
    assert (status, made["version"]) == (201, "shop@1")
    status, offered = server.ask("GET", f"{API}/chunk-upload/")
    assert "release_files" in offered["accept"]
    assert server.ask("GET", "/api/0/projects/any/1/releases/shop%401/files/") == (200, [])
    status, told = assemble(server, raw)
    assert (status, told["state"], told["missingChunks"]) == (200, "not_found", [sha1(raw)])
    assert server.send(("file", sha1(raw), raw)) == (200, {})
    return assemble(server, raw)


@pytest.mark.parametrize("project", ["1", "shop"])
def test_a_bundle_is_stored_for_the_project_that_it_names(server, mongo, maps, project):
    raw = bundle(project=project)
    assert upload(server, raw) == (200, {"state": "ok", "missingChunks": [], "detail": None})
    with closing(MapStore(mongo)) as store:
        assert [(one.release, one.path) for one in store.listed("1")] == [("shop@1", "~/app.js")]
        assert list(store.listed("2")) == []
    maps.look()
    stack = "TypeError: m\n    at x (https://cdn7.example/app.js:1:2)"
    event = {"type": "TypeError", "message": "m", "stack": stack, "release": "shop@1"}
    assert named(event, maps)["frames"][0]["function"] == "outer"


def test_asked_again_the_outcome_is_the_same(server):
    raw = bundle(project="1")
    assert upload(server, raw) == assemble(server, raw)


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({}, "the bundle names no project"),
        ({"project": 7}, "the bundle names no project"),
        ({"project": "nobody"}, "there is no such project in projects.yaml"),
    ],
)
def test_a_bundle_of_no_project_is_refused_in_words(server, mongo, about, why):
    status, told = upload(server, bundle(**about))
    assert (status, told["state"]) == (200, "error")
    assert why in told["detail"]
    with closing(MapStore(mongo)) as store:
        assert list(store.listed("1")) == []


def test_the_request_cannot_name_another_project_than_the_bundle(server):
    assert assemble(server, bundle(project="1"), projects=["2"])[0] == 400


def test_files_one_by_one_are_refused_in_words(server):
    status, told = server.ask("POST", "/api/0/projects/any/1/releases/shop%401/files/", b"x")
    assert status == 400
    assert "upload a folder" in told["detail"]
