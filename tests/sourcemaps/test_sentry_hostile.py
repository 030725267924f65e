"""Nonsense and bombs in the place of what sentry-cli sends: each is refused in a sentence, and
the server lives on.
"""

from __future__ import annotations

import gzip
import io
import random
import struct
import tracemalloc
import zipfile

import orjson
import pytest

from catchwater.errors import UploadError
from catchwater.sourcemaps.upload.bundle import artifacts
from tests.sourcemaps.explained import simple
from tests.sourcemaps.indexed import READER
from tests.sourcemaps.sentry import ASSEMBLE, UPLOAD, manifest, served, sha1, zipped

SCRIPT = {"type": "minified_source", "url": "~/a.js", "headers": {"Sourcemap": "a.js.map"}}
MAP = {"type": "source_map", "url": "~/a.js.map"}
GOOD = {"manifest.json": manifest(a__js=SCRIPT, m=MAP), "a.js": b"x()", "m": simple()}
FORM = "multipart/form-data; boundary=b"


@pytest.fixture(scope="module")
def server(mongo_url, tmp_path_factory):
    with served(mongo_url, tmp_path_factory.mktemp("server")) as found:
        yield found
        assert '"level":"error"' not in found.log


@pytest.fixture(autouse=True)
def lives_on(server):
    """After each test a good bundle is kept."""
    yield
    raw = zipped(GOOD | {"unlike any other": random.randbytes(8)})
    assert server.bundle(raw) == (200, {"state": "ok", "missingChunks": [], "detail": None})


def many(count: int) -> bytes:
    return zipped(
        {"manifest.json": b"{}"} | {str(n): b"" for n in range(count)}, zipfile.ZIP_STORED
    )


def lied(raw: bytes, at: int, form: str, value: int) -> bytes:
    """A zip whose end record says something else."""
    end = bytearray(raw[-22:])
    struct.pack_into(form, end, at, value)
    return raw[:-22] + bytes(end)


def locked() -> bytes:
    raw = bytearray(zipped(GOOD))
    for mark, at in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        place = raw.find(mark)
        while place >= 0:
            raw[place + at] |= 1
            place = raw.find(mark, place + 1)
    return bytes(raw)


BUNDLES = {
    "no zip": (b"hello", "no zip file"),
    "nothing": (b"", "no zip file"),
    "half a zip": (zipped(GOOD)[200:], ""),
    "only an end": (b"PK\5\6" + bytes(18), "manifest.json"),
    "an end that lies": (lied(zipped(GOOD), 16, "<L", 2**32 - 1), ""),
    "too many files": (many(20_001), "more than 20,000 files"),
    "a directory that is too long": (lied(zipped(GOOD), 12, "<L", 2**31), "more than 20,000 files"),
    "a longer directory elsewhere": (
        zipped(GOOD)[:-22] + b"PK\6\7" + bytes(16) + zipped(GOOD)[-22:],
        "more than",
    ),
    "a password": (locked(), "cannot be unpacked"),
    "another packing": (zipped(GOOD, zipfile.ZIP_LZMA), "only deflate"),
    "no manifest": (zipped({"a.js": b""}), "not in the bundle"),
    "a manifest of nonsense": (zipped({"manifest.json": b"\xff{"}), "no JSON"),
    "a deep manifest": (zipped({"manifest.json": b'{"files":' + b"[" * 100_000}), "no JSON"),
    "a manifest that is a list": (zipped({"manifest.json": b"[]"}), "no `files`"),
    "files that are none": (
        zipped({"manifest.json": b'{"files": {"a": 1, "b": {"type": []}}}'}),
        "no source map",
    ),
    "types that are objects": (
        zipped({"manifest.json": b'{"files": {"a": {"type": {}, "url": {}}}}'}),
        "no source map",
    ),
    "headers of nonsense": (
        zipped({"manifest.json": manifest(a=SCRIPT | {"headers": {"sourcemap": 7}})}),
        "refused",
    ),
    "a manifest that is a bomb": (zipped({"manifest.json": b" " * (16 * 2**20 + 1)}), "too large"),
    "a map that is a bomb": (zipped(GOOD | {"m": b" " * (64 * 2**20 + 1)}), "too large"),
    "a map that is missing": (zipped({"manifest.json": manifest(m=MAP)}), "not in the bundle"),
    "a map of nonsense": (zipped(GOOD | {"m": b"\0\xff" * 1_000}), "refused"),
    "an address without end": (
        zipped({"manifest.json": manifest(m=MAP | {"url": "~/" * 9_999})}),
        "no source map",
    ),
    "a name outside": (
        zipped({"manifest.json": manifest(**{"../../etc/passwd": MAP})}),
        "not in the bundle",
    ),
    "a script without its map": (
        zipped({"manifest.json": manifest(a=SCRIPT), "a": b""}),
        "no source map",
    ),
}


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_of_nonsense_is_refused_in_a_sentence(server, name):
    raw, words = BUNDLES[name]
    status, told = server.bundle(raw)
    assert (status, told["state"], told["missingChunks"]) == (200, "error", [])
    assert words in told["detail"]
    assert "log of" not in told["detail"]


def test_a_map_that_many_scripts_name_counts_each_time_that_it_is_unpacked():
    """All scripts of a bundle may name one bomb."""
    scripts = {f"s{n}": SCRIPT | {"url": f"~/{n}.js"} for n in range(18)}
    raw = zipped({"manifest.json": manifest(**scripts, m=MAP), "m": bytes(2**20)})
    assert len(raw) < 10_000
    with pytest.raises(UploadError, match="unpacks to more than 10,485,760 bytes"):
        list(artifacts(io.BytesIO(raw), READER, 10 * 2**20))


@pytest.mark.parametrize("content", [b"\0", b'{"version":3,"names":["', b"["])
def test_a_bundle_takes_the_memory_of_its_largest_file_whatever_is_in_the_others(content):
    """Maps that could not be read were kept until the end: 40 of 60 MB took 2 GB."""
    size, count = 4 * 2**20, 20
    files = {f"m{number}": content.ljust(size, content[-1:]) for number in range(count)}
    about = {name: {"type": "source_map", "url": f"~/{name}.js.map"} for name in files}
    raw = zipped({"manifest.json": manifest(**about)} | files)
    del files
    tracemalloc.start()
    try:
        found = list(artifacts(io.BytesIO(raw), READER))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) == count
    assert all(one.broken for one in found)
    assert peak < 5 * size


def test_a_map_without_release_and_debug_id_could_never_be_found(server):
    assert (
        "no debug id, and no release is given"
        in server.bundle(zipped(GOOD), version=None)[1]["detail"]
    )


def test_a_chunk_that_is_not_what_its_name_says_is_refused(server):
    for name in ("0" * 40, "", "../../x", sha1(b"a").upper(), "ü"):
        status, told = server.send(("file", name, b"a"))
        assert (status, "SHA-1" in told["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("raw", "status", "words"),
    [
        (gzip.compress(bytes(8 * 2**20 + 1)), 413, "unpacks to more"),
        (gzip.compress(bytes(2**30 // 8)), 413, "unpacks to more"),
        (b"no gzip", 400, "no gzip"),
        (gzip.compress(b"a" * 1_000)[:-9], 400, "no whole gzip"),
        (gzip.compress(b"a") + b"b", 400, "no whole gzip"),
    ],
    ids=["a byte more", "a bomb", "no gzip", "cut", "longer"],
)
def test_a_packed_chunk_that_is_a_bomb_or_none_is_refused(server, raw, status, words):
    found, told = server.send(("file_gzip", sha1(raw), raw))
    assert (found, words in told["detail"]) == (status, True), told


def test_a_form_with_too_much_of_anything_is_refused(server):
    assert server.send(("other", "x", b""))[0] == 400
    assert server.send(*[("file", sha1(b""), b"")] * 5)[0] == 400
    assert server.send(("file", "x", bytes(8 * 2**20 + 2**17)))[0] == 413
    assert server.ask("POST", UPLOAD, bytes(40 * 2**20), Content_Type=FORM)[0] == 413


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FORM),
        (b"nonsense", FORM),
        (b"--b\r\n\r\n", FORM),
        (b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\nx", FORM),
        (b"--b\r\n" + b"A: b\r\n" * 20_000 + b"\r\n--b--", FORM),
        (b"--b\r\n\xff\xfe: \0\r\n\r\n--b--", FORM),
        (
            b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n--c--\r\n--b--",
            FORM,
        ),
        (b"--b\r\nContent-Type: multipart/mixed\r\n\r\n--b--", FORM),
        (b"x", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary=" + "b" * 100),
        (b"x", "text/plain"),
    ],
)
def test_a_form_of_nonsense_is_refused(server, body, kind):
    status, told = server.ask("POST", UPLOAD, body, Content_Type=kind)
    assert (status, "detail" in told) == (400, True)


NAME = sha1(b"")
ORDER = {"checksum": NAME, "chunks": [NAME], "projects": ["1"]}


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 500_000, 400),
        (b"[]", 400),
        (b"7", 400),
        (b'"\\ud800"', 400),
        (orjson.dumps(ORDER | {"checksum": "../x"}), 400),
        (orjson.dumps(ORDER | {"checksum": NAME + "\n"}), 400),
        (orjson.dumps(ORDER | {"chunks": []}), 400),
        (orjson.dumps(ORDER | {"chunks": [NAME] * 65}), 413),
        (orjson.dumps(ORDER | {"chunks": {"a": 1}}), 400),
        (orjson.dumps(ORDER | {"projects": []}), 400),
        (orjson.dumps(ORDER | {"projects": ["\0"]}), 400),
        (orjson.dumps(ORDER | {"projects": ["x" * 100_000]}), 400),
        (orjson.dumps(ORDER | {"version": "x" * 201}), 400),
        (orjson.dumps(ORDER | {"version": ["r"]}), 400),
        (bytes(2**20 + 1), 413),
    ],
)
def test_an_order_of_nonsense_is_refused(server, told, status):
    found, answer = server.ask("POST", ASSEMBLE, told, Content_Type="application/json")
    assert found == status, answer
    assert 0 < len(answer["detail"]) < 1_000


def test_chunks_named_for_a_path_are_missing_and_nothing_else(server):
    told = orjson.dumps(ORDER | {"chunks": ["../../../etc/passwd"]})
    status, answer = server.ask("POST", ASSEMBLE, told)
    assert (status, "chunks" in answer["detail"]) == (400, True)


def test_chunks_that_are_together_something_else_are_refused(server):
    raw = zipped(GOOD)
    assert "SHA-1" in server.bundle(raw, checksum="0" * 40)[1]["detail"]


def test_who_does_not_know_the_token_learns_nothing(server):
    for given in (
        "",
        "Bearer",
        "Bearer x",
        "Basic Og==",
        f"Bearer {'é' * 64}",
        "Bearer " + "0" * 8_000,
    ):
        for path in (UPLOAD, ASSEMBLE, "/", "/api/0/projects/"):
            status, told = server.ask("GET", path, Authorization=given)
            assert (status, list(told)) == (401, ["detail"])


def test_what_is_not_needed_for_maps_is_not_found(server):
    status, told = server.ask("GET", "/api/0/projects/any/")
    assert status == 404
    assert "/api/0/projects/any/" in told["detail"]
