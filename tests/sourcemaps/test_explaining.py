"""`catchwater sourcemaps explain`: what is said of a script whose map is there, or is not."""

from __future__ import annotations

import pytest

from tests.sourcemaps.explained import run, simple, upload

URL = "https://cdn7.example/static/shop.js?v=3"


@pytest.fixture
def uploaded(mongo, tmp_path):
    (tmp_path / "shop.js.map").write_bytes(simple())
    upload(mongo, tmp_path, "--release", "two", "--url-prefix", "~/static")
    return mongo


def explained(mongo, address, *options):
    done = run("explain", address, "--project", "1", "--mongo-url", mongo, *options)
    return done.exit_code, done.output


def test_a_place_of_the_script_is_told_as_the_place_in_the_source(uploaded):
    code, text = explained(uploaded, f"{URL}:1:1", "--release", "two")
    assert code == 0
    assert "looked up: ~/static/shop.js of release two" in text
    assert "found: ~/static/shop.js of release two" in text
    assert "line 1, column 1: src/a.js:2:3, in outer" in text
    assert explained(uploaded, URL, "--release", "two")[0] == 0


@pytest.mark.parametrize(
    ("address", "release", "why"),
    [
        (URL, "three", "that path has maps of release two: the page must report the same release"),
        (URL, "", "that path has maps of release two"),
        ("https://a.example/shop.js", "two", "is at ~/static/shop.js: is --url-prefix right?"),
        ("https://a.example/x.js", "two", "release two has ~/static/shop.js"),
        ("https://a.example/x.js", "one", "has none; there are ~/static/shop.js of release two"),
        (f"{URL}:1:11", "two", "line 1, column 11: no mapping at this position"),
        (f"{URL}:9:1", "two", "no mapping at this position; is the map of this very build?"),
    ],
)
def test_what_is_not_mapped_says_why_and_ends_with_1(uploaded, address, release, why):
    code, text = explained(uploaded, address, "--release", release)
    assert (code, why in text) == (1, True), text


def test_a_project_without_maps_says_so(mongo):
    code, text = explained(mongo, URL)
    assert code == 1
    assert "project 1 has no maps at all" in text


def test_a_debug_id_wins_and_a_source_without_text_is_named(mongo, tmp_path):
    id_ = "01234567-89ab-cdef-0123-456789abcdef"
    raw = simple(sourcesContent=None, debug_id=id_)
    (tmp_path / "b.js.map").write_bytes(raw)
    upload(mongo, tmp_path)
    code, text = explained(mongo, f"{URL}:1:1", "--debug-id", id_)
    assert code == 0
    assert "found: ~/b.js of no release, debug id 0123456789abcdef0123456789abcdef" in text
    assert "1 sources; without their text: src/a.js" in text
