"""Several builds of one release, told apart by what Sentry calls `dist`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from catchwater.answers import Emit
from catchwater.event import Event
from catchwater.sourcemaps.cache import MapCache
from dashboard.details import detail
from stages.fingerprint import fingerprint
from tests.sourcemaps.explained import ADDRESS, named, report, run, simple, upload
from tests.sourcemaps.sentry import served

WIRE = {"snippet": report([(1, 1)], "r")}
WIRE["sentry"] = {
    "release": "r",
    "exception": {
        "values": [
            {
                "type": "Error",
                "value": "m",
                "stacktrace": {
                    "frames": [{"filename": ADDRESS, "lineno": 1, "colno": 1, "function": "t"}]
                },
            }
        ]
    },
}


def build(folder: Path, function: str, **given: Any) -> Path:
    """A build of shop.js, whose only function has that name."""
    folder.mkdir()
    content = f"function {function}() {{\n  boom(1);\n}}\n"
    (folder / "shop.js").write_text("boom(1)\n//# sourceMappingURL=shop.js.map")
    (folder / "shop.js.map").write_bytes(simple(sourcesContent=[content], **given))
    return folder


def frame(maps: MapCache, dist: object, kind: str = "snippet") -> str:
    """The function of an event with that dist, or why it has none."""
    told = named(WIRE[kind] | ({"dist": dist} if dist else {}), maps, kind)["frames"][0]
    return str(told.get("unmapped") or told["function"])


@pytest.fixture
def two(mongo: str, tmp_path: Path) -> str:
    for dist, function in (("7", "seventh"), ("8", "eighth")):
        folder = build(tmp_path / dist, function)
        done = upload(mongo, folder, "--release", "r", "--dist", dist)
        assert done.exit_code == 0, done.output
    return mongo


@pytest.mark.parametrize("kind", WIRE)
def test_two_builds_of_one_release_do_not_take_each_other_s_maps(two, maps, kind):
    """The one that was uploaded last was taken for both."""
    maps.look()
    found = [frame(maps, dist, kind) for dist in ("7", 8, "9", "")]
    assert found == ["seventh", "eighth", "other dist", "other dist"]


def test_maps_that_are_uploaded_without_a_dist_are_of_all_that_have_none_of_their_own(
    two, maps, tmp_path
):
    """Whichever was uploaded first."""
    upload(two, build(tmp_path / "all", "any"), "--release", "r")
    upload(two, build(tmp_path / "9", "ninth"), "--release", "r", "--dist", "9")
    maps.look()
    found = [frame(maps, dist) for dist in ("7", "8", "9", "10", "")]
    assert found == ["seventh", "eighth", "ninth", "any", "any"]


def test_a_debug_id_names_the_very_build_whatever_the_dist(mongo, maps, tmp_path):
    id_ = "0123456789abcdef" * 2
    upload(mongo, build(tmp_path / "7", "seventh", debug_id=id_), "--release", "r", "--dist", "7")
    maps.look()
    image = {"type": "sourcemap", "code_file": ADDRESS, "debug_id": id_}
    told = WIRE["sentry"] | {"dist": "8", "debug_meta": {"images": [image]}}
    assert named(told, maps, "sentry")["frames"][0]["function"] == "seventh"


@pytest.mark.parametrize("kind", WIRE)
def test_an_event_tells_its_dist_and_is_counted_by_it(kind):
    event = Event("0" * 32, "1", 1, kind, orjson.dumps(WIRE[kind] | {"dist": "7"}))
    answer = fingerprint(event)
    assert isinstance(answer, Emit)
    assert (answer.event.json["dist"], answer.event.facts["tags"]["dist"]) == ("7", "7")
    shown = [(one.name, one.text) for one in detail(answer.event.json).facts]
    assert ("Dist", "7") in shown


def test_uploads_of_sentry_cli_have_their_dist(mongo, maps, tmp_path):
    with served(mongo, tmp_path) as server:
        for dist, function in (("7", "seventh"), ("8", "eighth")):
            folder = build(tmp_path / dist, function)
            done = server.upload(folder, "--release", "r", "--dist", dist)
            assert done.returncode == 0, done.stdout + done.stderr
    maps.look()
    assert [frame(maps, dist) for dist in ("7", "8", "9")] == ["seventh", "eighth", "other dist"]


def test_list_and_explain_tell_dists(two):
    listed = run("list", "--project", "1", "--mongo-url", two).output.splitlines()
    assert ["  r (dist 8)  " in one for one in listed] == [True, False]
    asked = ("explain", f"{ADDRESS}:1:1", "--project", "1", "--mongo-url", two, "--release", "r")
    found = run(*asked, "--dist", "7")
    assert (found.exit_code, "in seventh" in found.output) == (0, True)
    assert "looked up: ~/shop.js of release r, dist 7" in found.output
    other = run(*asked, "--dist", "9")
    assert other.exit_code == 1
    told = "maps of release r, dist 8, release r, dist 7: the page must report the same release and"
    assert told in other.output
