"""Maps are read by a process of their own, within limits: what is beyond them costs that map its
names, and nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
import resource
from contextlib import closing, suppress
from datetime import timedelta

import orjson
import pytest

from catchwater.errors import InvalidSourceMapError
from catchwater.sourcemaps.child_process import MEMORY
from catchwater.sourcemaps.parsed_map import ParsedMap
from catchwater.sourcemaps.scope_reader import ScopeReader
from catchwater.sourcemaps.store import MapStore
from catchwater.sourcemaps.upload import indexing, map_reader
from catchwater.sourcemaps.upload.assembling import Assembler, Order
from catchwater.sourcemaps.upload.chunks import Chunks
from catchwater.sourcemaps.upload.map_reader import MapReader
from dashboard.stack_view import WHY_UNMAPPED
from tests.sourcemaps.explained import named, report, run, simple, upload
from tests.sourcemaps.indexed import READER
from tests.sourcemaps.sentry import manifest, zipped


def sections(depth: int) -> bytes:
    """Each of which has another in it."""
    found = simple()
    for _ in range(depth):
        head = b'{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":'
        found = head + found + b"}]}"
    return found


HOSTILE = {
    "sections in sections": sections(60),
    "sections in sections without end": sections(5_000),
    "many sections": orjson.dumps(
        {
            "version": 3,
            "sections": [
                {"offset": {"line": n, "column": 0}, "map": orjson.loads(simple())}
                for n in range(5_000)
            ],
        }
    ),
    "names of a megabyte": simple(names=["\U0001f4a5" * 250_000] * 8),
    "very many names": simple(names=["n"] * 900_000),
    "a number of many digits": simple(mappings="AA" + "g" * 500_000 + "A"),
    "numbers past 32 bits": simple(mappings="AA+/////////DA,C"),
    "columns below zero": simple(mappings="AACEA,DAAA,DAAA"),
    "lines below zero": simple(mappings="AADA,CADA", names=[]),
    "a million lines": simple(mappings=";" * 1_000_000 + "AACEA"),
    "a million lines of source": simple(mappings="AA+/+8BA", sourcesContent=["\n" * 1_000_000]),
    "keys again and again": b'{"version":3,' + b'"mappings":"AACEA,U",' * 50_000 + simple()[1:],
    "a source of nothing but names": simple(sourcesContent=["function f(){}\n" * 60_000]),
    "very many mappings of nothing": simple(mappings="A," * 200_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_map_is_read_refused_or_stored_without_an_index(name):
    raw, spent = HOSTILE[name], READER.spent
    with suppress(InvalidSourceMapError):
        found = READER.read(raw)
        assert found.index or found.unread
    most = map_reader.FIRST_S + map_reader.EACH_BYTE_S * len(raw)
    assert READER.spent - spent <= most + indexing.FIRST_S + indexing.EACH_CHARACTER_S * len(raw)
    assert READER.read(simple()).index


def test_a_map_that_cannot_be_read_within_limits_is_stored_and_says_so_everywhere(
    monkeypatch, mongo, maps, tmp_path
):
    monkeypatch.setattr(map_reader, "FIRST_S", 0.5)
    monkeypatch.setattr(map_reader, "EACH_BYTE_S", 0.0)
    (tmp_path / "shop.js.map").write_bytes(simple(mappings="AACEA," + "CAAA," * 500_000 + "U"))
    (tmp_path / "zood.js.map").write_bytes(simple())
    done = upload(mongo, tmp_path, "--release", "r")
    assert done.exit_code == 1
    assert "unread    shop.js.map: ~/shop.js" in done.output
    assert "1 uploaded, 0 there, 0 skipped, 0 refused, 1 unread" in done.output
    listed = run("list", "--project", "1", "--mongo-url", mongo).output.splitlines()
    assert [map_reader.TOO_HARD in line for line in listed] == ["shop.js" in one for one in listed]
    where = ("https://cdn7.example/shop.js", "--project", "1", "--release", "r")
    told = run("explain", *where, "--mongo-url", mongo)
    assert (told.exit_code, map_reader.TOO_HARD in told.output) == (1, True)
    maps.look()
    (frame,) = named(report([(1, 1)], "r"), maps)["frames"]
    assert (frame["function"], frame["unmapped"]) == ("x0", "not readable within limits")
    assert frame["unmapped"] in WHY_UNMAPPED
    (frame,) = named(report([(1, 1)], "r", "https://cdn7.example/zood.js"), maps)["frames"]
    assert frame["function"] == "outer"


def test_a_map_that_takes_more_memory_than_there_is_costs_itself():
    """Lists of nothing take twenty times their text."""
    hostile = simple()[:-1] + b',"x":[' + b"[]," * 3_000_000 + b"[]]}"
    with closing(MapReader()) as reader:
        assert reader.read(simple()).index
        process = reader._end.peek()[2][0]
        assert resource.prlimit(process.pid, resource.RLIMIT_AS) == (MEMORY, MEMORY)
        resource.prlimit(process.pid, resource.RLIMIT_AS, (150 * 2**20, MEMORY))
        found = reader.read(hostile)
        assert (found.index, found.unread) == (b"", map_reader.TOO_HARD)
        assert reader.read(simple()).index


def test_who_is_interrupted_while_it_waits_gets_no_answer_of_that_question_later(monkeypatch):
    """The next map had the index of the one before."""
    with closing(MapReader()) as reader:
        assert reader.read(simple()).mappings == 2
        with monkeypatch.context() as interrupted:
            interrupted.setattr(reader._answers, "readline", interrupt, raising=False)
            with pytest.raises(KeyboardInterrupt):
                reader.read(simple(mappings="A,CAAA,C"))
        assert reader.read(simple()).mappings == 2


def interrupt(_most: int) -> bytes:
    raise KeyboardInterrupt


def test_the_sources_of_a_map_have_a_budget_together(monkeypatch):
    """Each of very many took just less than a source may: half an hour for a map of 20 MB."""
    monkeypatch.setattr(indexing, "FIRST_S", 0.5)
    sources = ["/[" * 4_000 + str(n) for n in range(60)]
    raw = simple(sources=[f"{n}.ts" for n in range(60)], sourcesContent=sources)
    with closing(ScopeReader()) as reader:
        tables = indexing.functions_of({}, ParsedMap(raw), reader).tables
        assert reader.spent < 0.5 + 60 * 8_000 * indexing.EACH_CHARACTER_S + 0.6
    assert tables[0] is not None
    assert tables[-1] is None


def hostile_bundle(count: int) -> bytes:
    slow = simple(sourcesContent=["/[" * 4_000] * 4, sources=["a.ts"] * 4)
    files = {f"m{n}": slow[:-1] + b',"n":%d}' % n for n in range(count)}
    about = {name: {"type": "source_map", "url": f"~/{name}.js.map"} for name in files}
    return zipped({"manifest.json": manifest(**about)} | files)


def assembled(store: MapStore, folder, raw: bytes, budget_s: float) -> str:
    name = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
    chunks = Chunks(folder)
    chunks.put(name, raw)
    order = Order(checksum=name, chunks=(name,), projects=("1",), version="r")

    async def state() -> dict[str, object]:
        assembler = Assembler(store, chunks, timedelta(days=1), 100.0, budget_s)
        return await assembler.state(order)

    return str(asyncio.run(state())["detail"] or "")


def test_a_bundle_has_a_budget_and_what_comes_after_it_is_stored_without_an_index(mongo, tmp_path):
    """The others wait for it: a bundle is read at a time."""
    with closing(MapStore(mongo)) as store:
        told = assembled(store, tmp_path, hostile_bundle(12), 1.0)
        assert "stored without an index; the first: " in told
        assert "took all the time that a bundle may: upload the bundle again" in told
        unread = {one.path for one in store.listed("1") if one.unread}
        assert 0 < len(unread) < 12
        assert len(list(store.listed("1"))) == 12
        assembled(store, tmp_path, hostile_bundle(12), 1.0)
        assert {one.path for one in store.listed("1") if one.unread} < unread


def test_a_bundle_within_its_budget_is_stored_whole(mongo, tmp_path):
    with closing(MapStore(mongo)) as store:
        assert assembled(store, tmp_path, hostile_bundle(2), 100.0) == ""


def test_what_is_read_already_is_not_indexed_again():
    with closing(MapReader(is_indexed=lambda _sha: True)) as reader:
        found = reader.read(simple())
    assert (found.index, found.unread, found.mappings) == (b"", "", 2)
