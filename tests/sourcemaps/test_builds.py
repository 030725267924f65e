"""Real bundles: minified frames become the source's, and a new build splits no issue."""

from __future__ import annotations

import re
from contextlib import closing

import pytest

from catchwater.sourcemaps.store import MapStore, StoredMap
from tests.sourcemaps.explained import named, position, report, simple, upload


def crash(builds, build, release):
    """What V8 reports of `order.missing.lines`: the minified positions, found in the script."""
    script = builds[build] / "shop.js"
    inner = re.search(r"\w\.missing\.lines", script.read_text())
    line, column = position(script, inner.group())
    return report([(line, column + 10)], release)


def test_the_same_fault_in_two_builds_by_two_bundlers_is_one_issue(mongo, maps, builds):
    for name in ("one", "two"):
        assert upload(mongo, builds[name], "--release", name).exit_code == 0
    maps.look()
    one, two = (named(crash(builds, name, name), maps) for name in ("one", "two"))
    assert [one["frames"][0][key] for key in ("function", "line")] == ["checkoutOrder", 4]
    assert two["frames"][0]["function"] == "checkoutOrder"
    assert one["frames"][0]["context"]["line"] == "  return cart.total(order.missing.lines);"
    assert one["frames"][0]["generated"]["file"].endswith("/shop.js")
    assert one["fingerprint"] == two["fingerprint"]
    assert one["culprit"] == two["culprit"] == "checkoutOrder (shop.js)"


def test_a_frame_has_two_lines_before_and_after(mongo, maps, builds):
    upload(mongo, builds["one"], "--release", "one")
    maps.look()
    context = named(crash(builds, "one", "one"), maps)["frames"][0]["context"]
    assert context["pre"] == [
        "function checkoutOrder(order) {",
        "  const cart = new Cart(order.lines);",
    ]
    assert context["post"] == ["}", "window.buy = () => { checkoutOrder({ lines: [] }); };"]


def test_a_map_of_another_release_is_not_used_and_the_frame_says_so(mongo, maps, builds):
    upload(mongo, builds["one"], "--release", "one")
    maps.look()
    frame = named(crash(builds, "one", "none"), maps)["frames"][0]
    assert frame["unmapped"] == "other release"
    assert frame["file"] == "https://cdn7.example/shop.js"
    assert frame["function"] == "x0"


def test_each_release_has_its_own_map_of_a_path(mongo, maps, tmp_path):
    for release, function in (("one", "outer"), ("two", "other")):
        (folder := tmp_path / release).mkdir()
        (folder / "app.js").write_text("x\n")
        (folder / "app.js.map").write_bytes(
            simple(sourcesContent=[f"function {function}() {{\n  boom(1);\n}}\n"])
        )
        assert upload(mongo, folder, "--release", release).exit_code == 0
    maps.look()
    told = [
        named(report([(1, 1)], release, "https://cdn.example/app.js"), maps)
        for release in ("one", "two")
    ]
    assert [one["frames"][0]["function"] for one in told] == ["outer", "other"]


def test_a_map_that_is_found_by_its_debug_id_is_not_taken_for_a_script_of_another_release(mongo):
    debug_id = "0" * 32
    with closing(MapStore(mongo)) as store:
        store.put(StoredMap("1", "two", "~/app.js", debug_id, "a" * 64, 9, 1), b"{}")
        found = store.find("1", "one", ["~/app.js"], [debug_id])
    assert set(found.by_debug_id) == {debug_id}
    assert found.by_path == {}


def test_a_debug_id_wins_over_release_and_path(mongo, maps, tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b/app.js").write_text("x\n//# debugId=85314830-023f-4cf1-a267-535f4e37bb17\n")
    (tmp_path / "b/app.js.map").write_bytes(simple())
    assert (
        "85314830023f4cf1a267535f4e37bb17"
        in upload(mongo, tmp_path / "b", "--url-prefix", "~/other").output
    )
    maps.look()
    image = {
        "type": "sourcemap",
        "code_file": "app:///x.js",
        "debug_id": "85314830-023f-4cf1-a267-535f4e37bb17",
    }
    frames = [{"filename": "app:///x.js", "lineno": 1, "colno": 1, "function": "t"}]
    value = {"type": "Error", "value": "m", "stacktrace": {"frames": frames}}
    body = {
        "event_id": "0" * 32,
        "exception": {"values": [value]},
        "debug_meta": {"images": [image]},
        "release": "9",
    }
    assert named(body, maps, "sentry")["frames"][0]["function"] == "outer"


def test_an_upload_is_seen_without_a_restart_and_what_was_not_there_is_asked_again(
    mongo, maps, builds
):
    upload(mongo, builds["two"], "--release", "two")
    maps.look()
    told = crash(builds, "one", "one")
    assert named(told, maps)["frames"][0]["unmapped"] == "other release"
    upload(mongo, builds["one"], "--release", "one")
    maps.look()
    assert named(told, maps)["frames"][0]["function"] == "checkoutOrder"


def test_an_upload_done_twice_changes_nothing(mongo, builds):
    assert "1 uploaded, 0 there" in upload(mongo, builds["one"], "--release", "one").output
    assert "0 uploaded, 1 there" in upload(mongo, builds["one"], "--release", "one").output


@pytest.mark.parametrize(("column", "expected"), [(10, None), (900, "not uploaded")])
def test_a_project_without_maps_hears_of_them_only_where_a_frame_looks_minified(
    maps, column, expected
):
    maps.look()
    assert named(report([(1, column)], "r"), maps)["frames"][0].get("unmapped") == expected


def test_code_of_packages_is_not_the_project_s_own_by_its_original_name(mongo, maps, tmp_path):
    (tmp_path / "shop.js.map").write_bytes(simple(sources=["../node_modules/left/a.js"]))
    upload(mongo, tmp_path, "--release", "r")
    maps.look()
    frame = named(report([(1, 1)], "r"), maps)["frames"][0]
    assert (frame["in_app"], frame["file"]) == (False, "../node_modules/left/a.js")


def test_where_a_map_has_no_sources_the_caller_names_the_function(mongo, maps, tmp_path):
    (tmp_path / "shop.js.map").write_bytes(simple(mappings="AACEA,UAAA", sourcesContent=None))
    upload(mongo, tmp_path, "--release", "r")
    maps.look()
    frames = named(report([(1, 12), (1, 1)], "r"), maps)["frames"]
    assert [frame["function"] for frame in frames] == ["boom", "x1"]
    assert "context" not in frames[1]
