"""No map stops an event: what cannot be used leaves the frame as it was, with the reason."""

from __future__ import annotations

import os
import resource
import sys
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from catchwater.errors import InvalidSourceMapError, SourceUnreadableError, UnavailableError
from catchwater.sourcemaps.cache import MOST_MAPS, MapCache
from catchwater.sourcemaps.lru import LruCache
from catchwater.sourcemaps.parsed_map import ParsedMap
from catchwater.sourcemaps.scope_reader import ScopeReader
from catchwater.sourcemaps.scopes import read_functions
from catchwater.sourcemaps.store import MapStore, StoredMap, sha_of
from tests.sourcemaps.explained import named, report, simple, upload
from tests.sourcemaps.indexed import READER

BAD = {
    "ten megabytes of nonsense": b"\0\xff" * 5_000_000,
    "deep": b'{"a":' * 300_000,
    "deep sections": b'{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":' * 500,
    "empty": b"",
    "a list": b"[]",
    "an endless number": simple(mappings="g" * 1_000_000),
    "sections elsewhere": b'{"version":3,"sections":[{"offset":{"line":0,"column":0},"url":"x"}]}',
    "a section before the first": b'{"version":3,"sections":[{"offset":{"line":-1,"column":0},"map":{}}]}',  # noqa: E501 - one piece of text, as it is sent or run
}
ODD = {
    "a name that is not there": simple(names=[]),
    "a source that is not there": simple(sources=[]),
    "negative": simple(mappings="AADD", names=[]),
    "no names": simple(names=[], mappings="AACE"),
    "no source": simple(sources=[None]),
    "no sources' text": simple(sourcesContent=None),
    "null text": simple(sourcesContent=[None]),
    "nothing but lines": simple(mappings=";" * 1_000_000),
    "a position past the end": simple(mappings="AA+/////BA", names=[]),
    "one field": simple(mappings="A"),
    "indexed": b'{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":'
    + simple()
    + b"}]}",
    "a byte order mark": b"\xef\xbb\xbf" + simple(),
    "a line before the JSON": b")]}'\n" + simple(),
    "a deep source": simple(sourcesContent=["\n" + "(" * 200_000]),
    "a long line": simple(sourcesContent=["\n" + "x" * 2_000_000]),
}


def put_map(mongo: str, raw: bytes, **given: object) -> None:
    """Past the checks of the command, with its index where one can be made."""
    fields = {
        "project": "1",
        "release": "r",
        "path": "~/shop.js",
        "debug_id": "",
        "sha": sha_of(raw),
    }
    with closing(MapStore(mongo)) as store:
        with suppress(InvalidSourceMapError):
            found = READER.read(raw.removeprefix(b"\xef\xbb\xbf"))
            store.put_index(sha_of(raw), found.index)
        store.put(StoredMap(**(fields | {"size": len(raw), "mappings": 1} | given)), raw)


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_map_is_refused_with_a_reason_and_leaves_the_frame_as_it_was(name, mongo, maps):
    with pytest.raises(InvalidSourceMapError, match=r"not a source map: ."):
        READER.read(BAD[name])
    put_map(mongo, BAD[name])
    maps.look()
    frame = named(report([(1, 1)], "r"), maps)["frames"][0]
    assert (frame["function"], frame["line"], frame["unmapped"]) == ("x0", 1, "no index")


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("place", [(1, 1), (1, 10**8), (10**8, 1)])
def test_an_odd_map_stops_no_event(name, place, mongo, maps):
    put_map(mongo, ODD[name])
    maps.look()
    started = time.process_time()
    frame = named(report([place], "r"), maps)["frames"][0]
    assert frame.get("unmapped") == "no mapping at this position" or "generated" in frame
    assert time.process_time() - started < 10


def test_a_map_is_used_in_whatever_memory_there_is(mongo):
    put_map(mongo, simple())
    with closing(MapStore(mongo)) as store:
        maps = MapCache(store, 1)
        maps.look()
        assert named(report([(1, 1)], "r"), maps)["frames"][0]["function"] == "outer"


def test_a_map_that_unpacks_to_more_than_the_most_is_not_unpacked(mongo):
    raw = b" " * 5_000_000
    put_map(mongo, raw)
    with closing(MapStore(mongo)) as store:
        assert store.read(sha_of(raw), 1_000_000) is None
        assert store.read(sha_of(raw), 5_000_001) == raw


@pytest.mark.parametrize(
    "text",
    ["/[" * 50_000, "a?(b):c=>" * 120_000, "type a=" * 100_000],
    ids=["quadratic", "crashes the parser", "slow"],
)
@pytest.mark.parametrize("file", ["src/a.ts", "src/a.tsx"])
def test_a_source_that_its_parser_cannot_read_costs_that_source_its_names(text, file, mongo, maps):
    """It held up every project for 17 s, or ended the stage with a SIGSEGV, event after event."""
    content = "function outer() {\n  boom(1);\n}\n" + text
    put_map(mongo, simple(sources=[file], sourcesContent=[content]))
    maps.look()
    frame = named(report([(1, 1)], "r"), maps)["frames"][0]
    assert (frame["file"], frame["line"]) == (file, 2)
    assert frame["function"] == "outer" or frame["unnamed"] == "its source cannot be parsed"


def test_a_map_with_many_sources_of_that_kind_loses_all_its_names(maps, mongo):
    sources = [f"src/{n}.tsx" for n in range(10)]
    mappings = "AACEA" + ";ACAAA" * 9
    content = "function outer() {\n  boom(1);\n}\n" + "a?(b):c=>" * 120_000
    put_map(mongo, simple(sources=sources, sourcesContent=[content] * 10, mappings=mappings))
    maps.look()
    frames = named(report([(n, 1) for n in range(1, 11)], "r"), maps)["frames"]
    assert {frame["unnamed"] for frame in frames} == {"its source cannot be parsed"}


def test_a_parser_that_cannot_be_started_costs_no_source_its_names_for_ever(
    mongo, maps, tmp_path, monkeypatch
):
    (tmp_path / "d.js").write_bytes(b"x\n//# sourceMappingURL=d.js.map")
    (tmp_path / "d.js.map").write_bytes(simple())
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    failed = upload(mongo, tmp_path, "--release", "r")
    assert isinstance(failed.exception, SourceUnreadableError)
    monkeypatch.undo()
    assert upload(mongo, tmp_path, "--release", "r").exit_code == 0
    maps.look()
    frame = named(report([(1, 1)], "r", "https://cdn7.example/d.js"), maps)["frames"][0]
    assert frame["function"] == "outer"


def test_no_event_waits_for_a_parser_of_sources_or_maps(mongo, maps, monkeypatch):
    """A hostile source of 100 kB held one up for 0.2 s, a real one of 1.4 MB for half a second."""
    real = "function f(){ return a(b, c, x => x + 1) }\n" * 34_000
    put_map(mongo, simple(sourcesContent=["function outer() {\n  boom(1);\n}\n" + real]))
    maps.look()
    for parser in ("tree_sitter.Parser", "symbolic.sourcemap.SourceMapView", "subprocess.Popen"):
        monkeypatch.setattr(parser, None)
    assert named(report([(1, 1)], "r"), maps)["frames"][0]["function"] == "outer"


def cpu_of(*sources: bytes) -> float:
    """Seconds of CPU of a parser that is asked about these, with its start."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    reader = ScopeReader()
    for source in (b"function f(){ x }", *sources):
        with suppress(SourceUnreadableError):
            reader.read(source, "a.ts")
    reader.close()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_a_source_costs_what_its_length_justifies():
    """100 kB took 17 s."""
    hostile = b"/[" * 50_000
    assert cpu_of(hostile) - cpu_of() < 0.5 + 0.3 + 0.2, "0.2: how much two starts may differ"


def test_a_long_source_is_given_the_time_that_it_needs():
    source = b"function f(){ return a(b, c, x => x + 1) }\n" * 34_000
    assert len(source) > 1_400_000
    with closing(ScopeReader()) as reader:
        assert reader.read(source, "a.ts").at(33_000, 14) == "f"


def test_the_parser_s_process_knows_none_of_our_settings(monkeypatch):
    monkeypatch.setenv("CATCHWATER_MONGO_URL", "mongodb://app:planted@host")
    reader = ScopeReader()
    assert reader.read(b"function f(){ x }", "a.js").at(0, 14) == "f"
    (process,) = [
        path
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if b"scope_process" in path.read_bytes() and is_child(path)
    ]
    assert b"planted" not in (process.parent / "environ").read_bytes()
    reader.close()


def is_child(path: Path) -> bool:
    stat = (path.parent / "stat").read_text().rpartition(")")[2].split()
    return int(stat[1]) == os.getpid()


@pytest.mark.parametrize("field", ["names", "sources", "sourcesContent"])
def test_a_map_of_very_many_empty_texts_is_refused_before_it_takes_its_memory(field):
    raw = simple(**{field: []}).replace(
        f'"{field}":[]'.encode(), b'"%s":[%s""]' % (field.encode(), b'"",' * 3_000_000)
    )
    with pytest.raises(InvalidSourceMapError, match=r"3,000,0.. names and sources are more than"):
        ParsedMap(raw)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 400_000,
        "function f(){" * 50_000,
        "a=>" * 200_000,
        "`${" * 100_000,
        "a<b" * 100_000,
        "\0\x80" * 9,
    ],
)
def test_a_source_nested_beyond_measure_is_looked_through_in_linear_time(text):
    started = time.process_time()
    read_functions(text.encode(), "a.js")
    assert time.process_time() - started < 5


def test_while_mongodb_is_away_a_project_with_maps_waits_and_one_without_does_not():
    class Away:
        def find(self, *_):
            raise UnavailableError("away")

        def projects(self):
            return {"1": datetime.now(UTC)}

    maps = MapCache(Away(), 1000)
    maps.look()
    with pytest.raises(UnavailableError):
        maps.find("1", "r", {"~/a.js": ""})
    assert not maps.knows("2")


def test_a_stage_that_never_reached_mongodb_goes_on_without_maps():
    with closing(MapStore("mongodb://127.0.0.1:1")) as store:
        maps = MapCache(store, 1000)
        maps.look()
        assert not maps.knows("1")


def test_memory_is_bounded_by_weight_and_what_was_not_used_for_longest_goes():
    held: LruCache[str] = LruCache(10)
    for key in "abc":
        held.put(key, key, 4)
    assert [held.get(key) for key in "abc"] == [None, "b", "c"]
    held.put("d", "d", 11)
    assert (held.get("d"), held.weight) == (None, 8)


def test_the_command_says_for_each_file_what_became_of_it(mongo, tmp_path):
    (tmp_path / "a.js").write_text("x\n//# sourceMappingURL=gone.js.map")
    (tmp_path / "b.css.map").write_bytes(b"{}")
    (tmp_path / "c.js.map").write_bytes(b"nonsense")
    (tmp_path / "d.js").write_bytes(b"x\n//# sourceMappingURL=d.js.map")
    (tmp_path / "d.js.map").write_bytes(orjson.dumps(orjson.loads(simple())))
    result = upload(mongo, tmp_path, "--release", "r", "--url-prefix", "~/static")
    assert result.exit_code == 1
    for part in (
        "gone.js.map is not there",
        "style sheet",
        "not a source map",
        "~/static/d.js",
        "1 refused",
    ):
        assert part in result.output


def of_scripts(count: int) -> dict[str, object]:
    frames = "".join(f"\n    at x{n} (https://cdn7.example/s{n}.js:1:1)" for n in range(count))
    return {"type": "Error", "message": "x", "stack": f"Error: x{frames}", "release": "r"}


def test_an_event_needs_no_more_than_so_many_maps_and_one_map_counts_once(mongo, maps):
    """Small maps have their price, too: each is asked for."""
    for number in range(MOST_MAPS + 3):
        put_map(mongo, simple(file=str(max(1, number))), path=f"~/s{number}.js")
    maps.look()
    frames = named(of_scripts(MOST_MAPS + 3), maps)["frames"]
    assert [frame.get("unmapped") for frame in frames].index("too many maps") == MOST_MAPS + 1
