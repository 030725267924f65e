"""What is read off a map when it is uploaded: components, broken text, sources to pass over."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import orjson
import pytest

from catchwater.sourcemaps.function_index import FunctionTable
from catchwater.sourcemaps.parsed_map import ParsedMap
from catchwater.sourcemaps.scope_reader import ScopeReader
from catchwater.sourcemaps.scopes import read_functions
from catchwater.sourcemaps.store import MapStore, StoredMap, sha_of
from catchwater.sourcemaps.upload.document import document_of
from catchwater.sourcemaps.upload.folder import checked
from catchwater.sourcemaps.upload.function_maps import LONGEST, function_maps
from catchwater.sourcemaps.upload.indexing import functions_of, ignored_sources
from catchwater.sourcemaps.upload.repair import digits, values, without_bad_references
from dashboard.stack_view import WHY_UNMAPPED
from tests.sourcemaps.explained import named, report, simple, upload
from tests.sourcemaps.indexed import READER, map_of, place

VUE = """<template><button @click="PAY()">{{ é }}</button></template>
<script setup lang="ts">
function payBox(i: Item) { return <number>THERE() }
</script>
<script>
export default { methods: { refund() { BACK() } } }
</script>
<style>.a { color: red }</style>
"""
SVELTE = """<script>
  function payBox(i) { THERE() }
</script>
<button onclick={() => PAY(items[0])}>pay</button>
"""
ASTRO = """---
const load = async () => { THERE() }
---
<p>{PAY()}</p>
<script>function later() { BACK() }</script>
"""
COFFEE = "pay = (order) ->\n  total = order.lines[0]\n  THERE total if unless x\n"


def at(text: str, file: str, call: str) -> str | None:
    row = next(n for n, line in enumerate(text.splitlines()) if f"{call}" in line)
    column = text.splitlines()[row].partition(call)[0]
    table = read_functions(text.encode(), file)
    assert table is not None
    return table.at(row, len(column.encode()))


@pytest.mark.parametrize(
    ("text", "file", "call", "function"),
    [
        (VUE, "src/Box.vue", "THERE", "payBox"),
        (VUE, "src/Box.vue", "BACK", "refund"),
        (VUE, "src/Box.vue", "PAY", None),
        (SVELTE, "src/Box.svelte", "THERE", "payBox"),
        (SVELTE, "src/Box.svelte", "PAY", None),
        (ASTRO, "src/page.astro", "THERE", "load"),
        (ASTRO, "src/page.astro", "BACK", "later"),
        (ASTRO, "src/page.astro", "PAY", None),
        ("function pay() { THERE() }", "src/Box.vue?vue&type=script&lang.ts", "THERE", "pay"),
        ("<script>function pay() { THERE() }", "src/Box.vue", "THERE", "pay"),
        (COFFEE, "src/pay.coffee", "THERE", None),
        ("function f() { x(1) }\nTHERE()\n", "src/a.js", "THERE", ""),
        ("function f() { ) ( }\nfunction pay() { THERE() }\n", "src/a.js", "THERE", "pay"),
    ],
)
def test_what_is_no_script_has_functions_only_in_its_scripts(text, file, call, function):
    """Two faults of one component were one issue, whose function was '' or the name of a tag."""
    assert at(text, file, call) == function


def test_very_many_tags_that_do_not_end_cost_no_more_than_their_length():
    assert read_functions(b"<script>" * 150_000, "a.vue") is not None


def test_functions_are_the_same_when_they_come_back():
    table = read_functions(VUE.encode(), "a.vue")
    again = FunctionTable.from_json(table.as_json())
    assert again == table
    assert again.at(2, 30) == "payBox"


SOURCES = ["node_modules/a/b.js", "src/a.js"]
SECTION = {
    "version": 3,
    "sourceRoot": "r",
    "sources": SOURCES,
    "names": [],
    "mappings": "AAAA",
    "sourcesContent": ["x", "y"],
}


@pytest.mark.parametrize("field", ["ignoreList", "x_google_ignoreList"])
def test_a_map_says_which_sources_are_not_the_project_s_own(field):
    plain = orjson.dumps(SECTION | {field: [0, 7, -1, True, "1", None]})
    assert set(ignored_sources(document_of(plain), ["r/node_modules/a/b.js", "r/src/a.js"])) == {
        "r/node_modules/a/b.js"
    }
    offset = {"line": 0, "column": 0}
    sections = {"version": 3, "sections": [{"offset": offset, "map": SECTION | {field: [1]}}]}
    with closing(ScopeReader()) as reader:
        one = ParsedMap(orjson.dumps(sections))
        assert functions_of(sections, one, reader).ignored == {"r/src/a.js"}


def test_a_frame_of_a_source_that_the_map_passes_over_is_no_code_of_the_project(
    mongo, maps, tmp_path
):
    """Every fault that Angular's injector found was one issue, and its culprit was Angular."""
    (tmp_path / "shop.js.map").write_bytes(
        simple(
            sources=["webpack:///lib/effect.mjs", "webpack:///src/cart.ts"],
            sourcesContent=["\nfunction get() {}", "\nfunction pay() { get() }"],
            mappings="AACA;ACAkB",
            x_google_ignoreList=[0],
        )
    )
    upload(mongo, tmp_path, "--release", "r")
    maps.look()
    body = named(report([(1, 1), (2, 1)], "r"), maps)
    assert [(one["function"], one["in_app"]) for one in body["frames"]] == [
        ("get", False),
        ("pay", True),
    ]
    assert body["culprit"] == "pay (cart.ts)"


def test_one_bad_mapping_costs_that_mapping_and_not_the_map(mongo, maps, tmp_path):
    """Column 1 of source 8, then column 11 of source 0, then one with a name that is not there."""
    mappings = f"{digits(0)}{digits(8)}AA,{digits(10)}{digits(-8)}CE,UAAAQ"
    (tmp_path / "shop.js.map").write_bytes(simple(mappings=mappings))
    assert "1 uploaded" in upload(mongo, tmp_path, "--release", "r").output
    maps.look()
    frames = named(report([(1, 1), (1, 11), (1, 25)], "r"), maps)["frames"]
    assert frames[0]["unmapped"] == "no mapping at this position"
    assert [(one["file"], one["line"]) for one in frames[1:]] == [("src/a.js", 2)] * 2


def test_what_is_left_of_a_repaired_map_is_as_it_was():
    good = orjson.loads(simple(mappings=";;AACEA,UACA;;CAAC,C", names=["boom", "b"]))
    assert orjson.loads(without_bad_references(orjson.dumps(good))) == good
    for value in (0, 1, -1, 15, 16, -16, 31, 1_000_000, -(2**31)):
        assert values(digits(value)) == [value]


@pytest.mark.parametrize("raw", [b"[]", b"x", b'{"mappings": 1}', simple(mappings="!"), b"null"])
def test_what_cannot_be_repaired_is_refused(raw):
    assert without_bad_references(raw) is None
    assert checked(READER, "a.js.map", "a.js", "", raw).broken


def test_a_source_without_a_name_has_its_text_all_the_same():
    raw = simple(sources=[None])
    found = place(map_of(raw), 1, 1)
    assert (found.file, found.function, found.line_text) == ("source 0", "outer", "  boom(1);")


def test_a_map_without_an_index_says_that_it_has_to_be_uploaded_again(mongo, maps):
    with closing(MapStore(mongo)) as store:
        store.put(StoredMap("1", "r", "~/shop.js", "", sha_of(simple()), 9, 1), simple())
    maps.look()
    assert named(report([(1, 1)], "r"), maps)["frames"][0]["unmapped"] == "no index"
    assert "uploaded to an older release" in WHY_UNMAPPED["no index"]


# What metro-source-map 0.84.6 writes of a class with a method and a callback in it, and a function.
METRO = {
    "names": ["Cart", "Cart#total", "lines.map$argument_0", "<global>", "pay"],
    "mappings": "AAA;ECC;qBCC,oBD;GDC;CGC;ACC,yCD",
}


@pytest.mark.parametrize(
    ("row", "column", "function"),
    [
        (0, 3, "Cart"),
        (1, 9, "Cart.total"),
        (2, 20, "Cart.total"),
        (2, 30, "lines.map$argument_0"),
        (5, 20, "pay"),
        (6, 0, ""),
    ],
)
def test_a_map_of_react_native_tells_functions_where_it_has_no_text(row, column, function):
    mappings = f"AA{digits(row)}{digits(column)}"
    raw = simple(mappings=mappings, sourcesContent=None, x_facebook_sources=[[METRO]])
    found = place(map_of(raw), 1, 1)
    assert (found.line, found.function, found.line_text) == (row + 1, function, None)


def test_the_text_of_a_source_tells_functions_better_than_react_native_does():
    raw = simple(x_facebook_sources=[[METRO]])
    assert place(map_of(raw), 1, 1).function == "outer"


@pytest.mark.parametrize(
    "told",
    [
        None,
        7,
        [None],
        [[]],
        [[{"names": ["a"], "mappings": 7}]],
        [[{"names": ["a"], "mappings": "!"}]],
        [[{"names": ["a"], "mappings": "AC"}]],
        [[{"names": [7], "mappings": "AA"}]],
        [[{"names": ["a"], "mappings": "EA,DA"}]],
        [[{"names": ["a"], "mappings": "A"}]],
        [[{"names": ["a"], "mappings": "A" * LONGEST + "AA"}]],
        [[{"mappings": "AA"}]],
    ],
    ids=lambda told: str(told)[:40],
)
def test_function_tables_of_react_native_that_cannot_be_read_are_left_out(told):
    assert function_maps(document_of(simple(x_facebook_sources=told)), ["src/a.js"]) == {}


def sections(*maps: dict[str, Any]) -> bytes:
    """An index map: each of these at a line of its own."""
    placed = [{"offset": {"line": line, "column": 0}, "map": one} for line, one in enumerate(maps)]
    return orjson.dumps({"version": 3, "sections": placed})


def of_metro(function: str, *sources: str | None, root: str | None = None) -> dict[str, Any]:
    """A section whose only place is line 1 of the last of its sources, which has a function."""
    table = {"names": [function], "mappings": "AAA"}
    return {
        "version": 3,
        "sources": list(sources),
        "sourceRoot": root,
        "names": [],
        "mappings": f"A{digits(len(sources) - 1)}AA",
        "x_facebook_sources": [*[None] * (len(sources) - 1), [table]],
    }


@pytest.mark.parametrize(
    "maps",
    [
        [of_metro("pay", "a.js"), of_metro("refund", "b.js")],
        [of_metro("pay", "x/index.js"), of_metro("refund", "index.js")],
        [of_metro("pay", "index.js", root="x/"), of_metro("refund", "index.js", root="y")],
        [of_metro("pay", "never.js", "/a.js", root="x"), of_metro("refund", "never.js", "a.js")],
        [of_metro("pay", "http://x/a.js", root="y"), of_metro("refund", "a.js", None, "b.js")],
        [orjson.loads(sections(of_metro("pay", "a.js"))), of_metro("refund", "b.js")],
        [{**of_metro("pay", "a.js"), "ignoreList": [0]}, of_metro("refund", "b.js", root="")],
    ],
)
def test_each_section_of_a_map_of_react_native_tells_its_own_functions(maps):
    """Bundles of several segments have such maps; none of their functions had a name."""
    raw = sections(*maps)
    one = map_of(raw)
    assert [place(one, line, 1).function for line in (1, 2)] == ["pay", "refund"]


def test_a_section_says_which_of_its_sources_are_not_the_project_s_own_and_not_which_of_another():
    """Told by the ends of their names, `src/a.js` of a section without a root was ignored, too."""
    ignoring = {**of_metro("pay", "a.js", root="lib"), "ignoreList": [0]}
    raw = sections(ignoring, of_metro("refund", "a.js"), of_metro("back", "src/a.js"))
    with closing(ScopeReader()) as reader:
        functions = functions_of(document_of(raw), ParsedMap(raw), reader)
        assert functions.ignored == {"lib/a.js"}


def test_sections_without_end_cost_no_more_than_their_length():
    deep = of_metro("pay", "a.js")
    for _ in range(10_000):
        deep = {"sections": [{"map": deep}]}
    assert list(function_maps(deep, ["a.js"])) == [0]
    odd = {"sections": [7, {"map": 7}, {}, {"map": {"sources": 7, "ignoreList": [0]}}]}
    assert list(ignored_sources(odd, ["a.js"])) == []
