"""Maps that do not lie beside their script: in a folder, and in the bundle that sentry-cli makes
of it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import pytest

from catchwater.sourcemaps.upload import bundle, folder
from catchwater.sourcemaps.upload.nearest import TOLD, Ends
from tests.sourcemaps.explained import simple
from tests.sourcemaps.indexed import READER
from tests.sourcemaps.sentry import manifest, zipped

URL = b"//# sourceMappingURL="
SHOP = simple(file="app.js")


def in_a_folder(files: Mapping[str, bytes], place: Path) -> dict[str, str]:
    """What came of each file: `script's path <- map`, or why nothing."""
    for name, raw in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(raw)
    return {one.file: one.path or one.why for one in folder.artifacts(place, READER)}


def in_a_bundle(files: Mapping[str, bytes], place: Path) -> dict[str, str]:
    """The same, served below /static/ of any host."""
    told = {name: {"type": _kind(name), "url": f"~/static/{name}"} for name in files}
    packed = zipped({"manifest.json": manifest(**told), **files})
    found = bundle.artifacts(io.BytesIO(packed), READER)
    return {
        one.file.removeprefix("~/static/"): one.path.removeprefix("static/") or one.why
        for one in found
    }


def _kind(name: str) -> str:
    return "source_map" if name.endswith(".map") else "minified_source"


both = pytest.mark.parametrize("found", [in_a_folder, in_a_bundle])


@both
@pytest.mark.parametrize(
    ("url", "place"),
    [
        (b"/maps/app.js.map", "maps/app.js.map"),
        (b"/static/maps/app.js.map?v=1", "maps/app.js.map"),
        (b"/prefix/static/maps/app.js.map", "maps/app.js.map"),
        (b"https://cdn.example/static/maps/app.js.map", "maps/app.js.map"),
        (b"https://cdn.example/maps/app.js.map", "maps/app.js.map"),
        (b"https://cdn.example/elsewhere/app.js.map", "js/app.js.map"),
        (b"/elsewhere/app.js.map", "app.js.map"),
        (b"../maps/app.js.map", "maps/app.js.map"),
        (b"app.js.map", "js/app.js.map"),
        (b"", "maps/app.js.map"),
    ],
)
def test_it_is_of_the_script_that_names_it(tmp_path, found, url, place):
    """It was uploaded for a script that nobody has."""
    script = b"a()\n" + URL + url if url else b"a()"
    assert found({"js/app.js": script, place: SHOP}, tmp_path)[place] == "js/app.js"


@both
@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("maps/app.js.map", "a/app.js"),
        ("maps/app.js.map", "./a/app.js"),
        ("maps/a/app.js.map", "app.js"),
        ("maps/a/app.js.map", None),
    ],
)
def test_of_two_scripts_of_one_name_it_is_the_one_of_the_longest_path(
    tmp_path, found, place, named
):
    files = {"a/app.js": b"a()", "b/app.js": b"b()", place: simple(file=named)}
    assert found(files, tmp_path)[place] == "a/app.js"


@both
def test_a_map_that_may_be_of_two_scripts_is_not_called_uploaded(tmp_path, found):
    told = found({"a/app.js": b"a()", "b/app.js": b"b()", "maps/app.js.map": SHOP}, tmp_path)
    assert "it may be of " in told["maps/app.js.map"]
    assert "a/app.js or " in told["maps/app.js.map"]


@both
def test_a_debug_id_needs_no_script(tmp_path, found):
    raw = simple(file="app.js", debug_id="0" * 32)
    told = found({"a/app.js": b"a()", "b/app.js": b"b()", "maps/app.js.map": raw}, tmp_path)
    assert told["maps/app.js.map"] == "maps/app.js"


@both
def test_a_map_beside_a_script_is_of_that_one_whatever_file_it_names(tmp_path, found):
    files = {"a/app.js": b"a()", "x.js": b"x()", "x.js.map": SHOP}
    assert found(files, tmp_path)["x.js.map"] == "x.js"


@both
def test_maps_alone_are_of_the_scripts_of_their_own_names(tmp_path, found):
    assert found({"js/app.js.map": SHOP}, tmp_path) == {"js/app.js.map": "js/app.js"}


@both
def test_a_script_that_has_its_map_gets_no_second_one(tmp_path, found):
    files = {"js/app.js": b"a()", "js/app.js.map": SHOP, "old/app.js.map": SHOP}
    assert found(files, tmp_path)["old/app.js.map"] == "old/app.js"


def test_very_many_files_of_one_name_cost_no_more_than_their_number():
    """Each compared with each would be 400 million comparisons."""
    ends = Ends(f"{'d/' * 400}{n}/app.js" for n in range(20_000))
    assert all(len(ends.nearest(f"x/{n}/app.js")) == 1 for n in range(20_000))
    assert len(ends.nearest("x/app.js")) == TOLD
