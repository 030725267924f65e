"""The index of a map says what the map says, in bounded time and memory."""

from __future__ import annotations

import random
import time
import tracemalloc
import zlib

import orjson
import pytest
from symbolic.sourcemap import SourceMapView

from catchwater.errors import InvalidSourceMapError
from catchwater.sourcemaps.index_cache import BEGINNING, IndexCache
from catchwater.sourcemaps.place import NO_MAPPING, NOT_PARSABLE, WIDTH
from catchwater.sourcemaps.place_index import LONGEST_BLOCK, PAGE, Directory, unpacked
from catchwater.sourcemaps.upload.repair import digits
from tests.sourcemaps.explained import simple
from tests.sourcemaps.indexed import READER, Bytes, map_of, opened, place

NOWHERE = 2**32 - 1
ID = "01234567-89ab-cdef-0123-456789abcdef"


def mapped(seed: int, mappings: int, lines: int = 5) -> bytes:
    """A map of positions in a random order of everything, some of them the same."""
    rng, last = random.Random(seed), [0, 0, 0, 0]
    rows = []
    for _ in range(lines):
        row = []
        for _ in range(mappings // lines):
            now = [rng.randrange(3), rng.randrange(200), rng.randrange(30), rng.randrange(4)]
            fields = rng.choice([0, 3, 3, 4])
            told = [b - a for a, b in zip(last, now, strict=True)][:fields]
            last[:fields] = now[:fields]
            row.append("".join(map(digits, [rng.choice([0, 0, 1, 2, 9]), *told])))
        rows.append(",".join(row))
    text = "".join(f"line {n} of the text\n" for n in range(200))
    return simple(
        sources=["a.js", "b.js", "c.js"],
        names=["w", "x", "y", "z"],
        sourcesContent=[text, None, text],
        mappings=";".join(rows),
    )


@pytest.mark.parametrize("seed", range(4))
def test_every_position_is_of_the_place_that_the_map_itself_says(seed):
    raw = mapped(seed, 5 * LONGEST_BLOCK)
    view, one = SourceMapView.from_json_bytes(raw), map_of(raw)
    positions = [(line, column) for line in range(7) for column in range(700)]
    found = one.places([(line + 1, column + 1) for line, column in positions])
    for line, column in positions:
        token, got = view.lookup(line, column), found[line + 1, column + 1]
        if token is None or token.dst_line != line or token.src_line == NOWHERE:
            assert got == NO_MAPPING
        else:
            told = (token.src, token.src_line + 1, token.src_col + 1, token.name or "")
            assert (got.file, got.line, got.column, got.token) == told


@pytest.mark.parametrize("lines", [1, 2, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE + 5])
def test_each_line_has_its_neighbours_and_none_of_another_source(lines):
    """Sources follow each other in pages, some of which are full."""
    texts = ["\n".join(f"{of} {n}" for n in range(lines)) for of in "ab"]
    steps = ";".join(["AAAA", *["AACA"] * (lines - 1), f"AC{digits(1 - lines)}A"])
    mappings = ";".join([steps, *["AACA"] * (lines - 1)])
    raw = simple(sources=["a", "b"], names=[], sourcesContent=texts, mappings=mappings)
    found = map_of(raw).places([(n + 1, 1) for n in range(2 * lines)])
    for row in range(2 * lines):
        of, n = "ab"[row // lines], row % lines
        got = found[row + 1, 1]
        assert got.line_text == f"{of} {n}"
        assert got.pre == [f"{of} {k}" for k in range(max(0, n - 2), n)]
        assert got.post == [f"{of} {k}" for k in range(n + 1, min(lines, n + 3))]


def test_lines_end_as_the_parser_has_them():
    text = "a\rb\r\nc\u2028d\x0be\n\nf"
    view = SourceMapView.from_json_bytes(simple(sourcesContent=[text]))
    mappings = ";".join(["AAAA", *["AACA"] * 4])
    one = map_of(simple(sourcesContent=[text], names=[], mappings=mappings))
    lines = [place(one, n, 1).line_text for n in range(1, 6)]
    assert lines == list(view.get_sourceview(0)) == ["a", "b", "c\u2028d\x0be", "", "f"]


SOURCES = 60


def large() -> bytes:
    """Megabytes, with mappings for all that is in them."""
    lines = 500
    texts = ["".join(f"  const value{n} = of(order, {n});\n" for n in range(lines))] * SOURCES
    one = ",".join(f"{digits(2 + n % 5)}AA{digits(2)}" for n in range(8))
    rows = [f"AA{'C' if n else 'A'}{digits(-16 if n else 0)},{one}" for n in range(lines)]
    later = f"AC{digits(1 - lines)}{digits(-16)},{one}"
    sources = [";".join([*([rows[0]] if not n else [later]), *rows[1:]]) for n in range(SOURCES)]
    return simple(
        sources=[f"src/{n}.js" for n in range(SOURCES)],
        names=[],
        sourcesContent=texts,
        mappings=";".join(sources),
    )


@pytest.fixture(scope="module")
def index():
    found = READER.read(large())
    assert not found.unread
    return found.index


def test_the_first_event_of_a_large_map_waits_for_little_of_it(index):
    """Parsing one of 12 MB took 117 ms, and one of 64 MB half a second."""
    archive = Bytes(index)
    rng = random.Random(1)
    positions = {(rng.randrange(1, 500 * SOURCES), rng.randrange(1, 30)) for _ in range(550)}
    started = time.process_time()
    one = IndexCache(archive, 32 * 2**20).maps(["0"])["0"]
    found = one.places(positions)
    taken = time.process_time() - started
    assert sum(not isinstance(got, str) for got in found.values()) > 500
    assert taken < 0.1, "as many frames as an event may have, each in another part"
    assert len(archive.questions) <= 4, "directory and its rest, blocks, pages"
    few = IndexCache(archive, 32 * 2**20).maps(["0"])["0"]
    assert len(index) // 10 >= BEGINNING
    assert isinstance(few.places([(20_000, 5)])[20_000, 5].line, int)


@pytest.mark.parametrize("memory", [500_000, 1_000_000])
def test_what_is_in_memory_of_maps_is_within_the_bound_by_measure(index, memory):
    """Maps were weighed by a formula."""
    cache = IndexCache(Bytes(index), memory)
    tracemalloc.start()
    try:
        for line in range(1, 500 * SOURCES, 50):
            cache.maps(["0"])["0"].places([(line, 3)])
        cache._places.clear()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.6 * memory < taken < 1.15 * memory + 100_000


def test_an_index_that_is_damaged_or_gone_stops_no_event(index):
    class Gone(Bytes):
        def read_ranges(self, wanted):
            raise InvalidSourceMapError("gone")

    assert IndexCache(Gone(index), 2**20).maps(["0"]) == {"0": NOT_PARSABLE}
    assert IndexCache(Bytes(b""), 2**20).maps(["0"]) == {"0": NOT_PARSABLE}
    assert IndexCache(Bytes(index[:2000]), 2**20).maps(["0"]) == {"0": NOT_PARSABLE}
    cut = opened(index[:-10])
    assert place(cut, 500 * SOURCES - 1, 3) == NOT_PARSABLE
    assert place(cut, 1, 3).line == 1


def test_a_part_that_is_a_bomb_is_not_unpacked():
    with pytest.raises(InvalidSourceMapError, match="more than 1,048,576 bytes"):
        unpacked(zlib.compress(bytes(2**21)))
    with pytest.raises(InvalidSourceMapError, match="damaged"):
        unpacked(b"nonsense")
    with pytest.raises(InvalidSourceMapError):
        Directory(b"\1\0\0\0\1\0\0\0\2\0\0\0{}", 0)


def test_a_long_line_is_stored_in_parts_and_not_once_for_each_mapping():
    """Each mapping of a minified source would bring 160 characters."""
    names = "".join(f"f{n}(a{n});" for n in range(20_000))
    step = ",".join(["AAAA", *["GAAG"] * 60_000])
    raw = simple(sourcesContent=[names], names=[], mappings=step)
    found = READER.read(raw)
    assert len(found.index) < len(raw)
    got = place(opened(found.index), 1, 90_001)
    assert got.column == 90_001
    assert len(got.line_text) == WIDTH + 2
    assert names[90_000:90_020] in got.line_text


def test_the_facts_of_a_map_are_what_its_json_says():
    raw = orjson.dumps(orjson.loads(simple()) | {"file": "app.js", "debugId": ID})
    found = READER.read(raw)
    assert (found.mappings, found.has_sources, found.script, found.debug_id) == (
        2,
        True,
        "app.js",
        ID,
    )
