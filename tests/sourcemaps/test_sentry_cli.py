"""An unmodified sentry-cli uploads to `catchwater sourcemaps serve`."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from stages.sourcemaps import bundle, chunks
from stages.sourcemaps.chunks import Chunks, Full, Wrong
from tests.sourcemaps.serving import TOKEN, Server, sentry_cli
from tests.sourcemaps.test_builds import crash
from tests.sourcemaps.told import named, run, simple


@pytest.fixture
def server(mongo: str, tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path, mongo)
    yield one
    assert one.end() == 0, one.log.read_text()


def listed(mongo: str) -> str:
    return run("list", "--project", "1", "--mongo-url", mongo).output


def test_what_it_uploads_is_used_and_a_second_time_changes_nothing(server, mongo, maps, builds):
    for _ in range(2):
        done = server.upload(builds["one"], "--project", "1", "--release", "one", "--wait")
        assert done.returncode == 0, done.stderr
    maps.look()
    frame = named(crash(builds, "one", "one"))["frames"][0]
    assert (frame["function"], frame["line"]) == ("checkoutOrder", 4)
    assert frame["context"]["line"] == "  return cart.total(order.missing.lines);"
    assert listed(mongo).count("\n") == 1
    assert "~/shop.js" in listed(mongo)


def test_debug_ids_that_it_injects_need_no_release(server, mongo, maps, builds, tmp_path):
    shutil.copytree(builds["two"], tmp_path / "dist")
    assert sentry_cli("sourcemaps", "inject", str(tmp_path / "dist")).returncode == 0
    done = server.upload(tmp_path / "dist", "--project", "shop", "--url-prefix", "~/static")
    assert done.returncode == 0, done.stderr
    debug_id = re.findall(r"debugId=([0-9a-f-]{36})", (tmp_path / "dist/shop.js").read_text())[0]
    assert debug_id.replace("-", "") in listed(mongo)
    assert "~/static/shop.js" in listed(mongo)


@pytest.mark.parametrize(
    ("options", "token", "said"),
    [
        (["--project", "1", "--release", "r"], "wrong", "wrong or no token"),
        (["--project", "nobody", "--release", "r"], TOKEN, "there is no project 'nobody'"),
    ],
)
def test_what_it_does_wrong_is_said_on_its_screen(server, mongo, builds, options, token, said):
    done = server.upload(builds["one"], *options, "--wait", token=token)
    assert done.returncode == 1
    assert said in done.stderr + done.stdout
    assert listed(mongo) == ""


def post(server: Server, name: str, data: bytes, field: str = "file") -> tuple[int, object]:
    start = f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode()
    return server.ask("chunk-upload/", start + data + b"\r\n--b--\r\n", "multipart/form-data; boundary=b")


def sha(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


def assembled(server: Server, data: bytes, **more: object) -> tuple[int, dict[str, object]]:
    assert post(server, sha(data), data) == (200, [])
    told = {"checksum": sha(data), "chunks": [sha(data)], "projects": ["1"], "version": "r", **more}
    return server.ask("artifactbundle/assemble/", orjson.dumps(told))


def zipped(manifest: object, **files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", manifest if isinstance(manifest, bytes) else orjson.dumps(manifest))
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


A_MAP = {"files": {"m": {"type": "source_map", "url": "~/a.js.map"}}}


def test_a_map_that_is_none_is_named_and_the_others_are_kept(server, mongo):
    files = {name: {"type": "source_map", "url": f"~/{name}.js.map"} for name in ("broken", "good")}
    _, told = assembled(server, zipped({"files": files}, broken=b"{nope", good=simple()))
    assert told["state"] == "error"
    assert told["detail"].startswith("broken: ")
    assert "~/good.js" in listed(mongo)


def test_a_map_without_release_and_debug_id_could_never_be_found(server):
    _, told = assembled(server, zipped(A_MAP, m=simple()), version=None)
    assert told["state"] == "error"
    assert "no debug id, and no release is given" in str(told["detail"])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"no zip", "no zip"),
        (zipped(b"{nope"), "manifest.json"),
        (zipped([1]), "lists no files"),
        (zipped({"files": {"x": 1, "gone": {"type": "source_map"}}}), "no source map"),
        (zipped(A_MAP, m=b"\0" * (65 * 2**20)), "too large"),
        (zipped(A_MAP, m=b'{"version": 3'), "not a source map"),
        (zipped({"files": {"m": {"type": "source_map", "url": ["x"], "headers": 7}}}, m=simple()), ""),
        (zipped(A_MAP, m=simple())[:-30], "no zip"),
    ],
    ids=["no zip", "no JSON", "a list", "odd files", "a bomb", "no map", "odd fields", "cut"],
)
def test_a_bundle_of_nonsense_is_refused_with_a_reason(server, data, said):
    status, told = assembled(server, data)
    assert status == 200
    assert told["state"] == ("error" if said else "ok")
    assert said in (told["detail"] or "")


@pytest.mark.parametrize(
    ("name", "data", "field", "said"),
    [
        ("0" * 40, b"x", "file", "holds something else"),
        ("../../etc/passwd", b"x", "file", "no SHA-1"),
        (sha(b"xxx"), b"xxx", "file_gzip", "was to be gzip"),
        (sha(b"x"), gzip.compress(b"x")[:-9], "file_gzip", "ends too early"),
        (sha(b"x"), gzip.compress(b"\0" * (chunks.SIZE + 1)), "file_gzip", "has more than"),
        (sha(b"x"), b"x", "other", "called file or file_gzip"),
        (sha(b"x"), b"\0" * (chunks.SIZE + 2**17), "file", "has more than"),
    ],
)
def test_a_chunk_that_is_not_what_it_says_is_refused(server, name, data, field, said):
    status, told = post(server, name, data, field)
    assert status == 400
    assert said in told["detail"]


@pytest.mark.parametrize(
    "told",
    [b"{", b"[]", b"{}", b'{"checksum": "x", "chunks": [], "projects": ["1"]}'],
)
def test_an_assembly_of_nonsense_is_refused(server, told):
    status, said = server.ask("artifactbundle/assemble/", told)
    assert status == 400
    assert said["detail"]


def test_what_is_missing_is_asked_for_and_the_rest_of_sentry_s_api_is_not_there(server):
    told = {"checksum": "0" * 40, "chunks": ["1" * 40], "projects": ["1"]}
    assert server.ask("artifactbundle/assemble/", orjson.dumps(told)) == (
        200,
        {"state": "not_found", "missingChunks": ["1" * 40]},
    )
    status, said = server.ask("releases/", b"{}")
    assert status == 404
    assert "nothing else of Sentry's API" in said["detail"]


def test_chunks_have_a_bound_and_those_that_wait_too_long_go(tmp_path, monkeypatch):
    kept = Chunks(tmp_path, room=10)
    kept.keep(sha(b"12345678"), b"12345678", packed=False)
    with pytest.raises(Full):
        kept.keep(sha(b"abcdefgh"), b"abcdefgh", packed=False)
    monkeypatch.setattr(chunks, "PATIENCE", -1.0)
    kept.keep(sha(b"abcdefgh"), b"abcdefgh", packed=False)
    assert kept.missing([sha(b"12345678"), sha(b"abcdefgh")]) == [sha(b"12345678")]
    with pytest.raises(Wrong, match="do not make up"):
        kept.joined([sha(b"abcdefgh")], "0" * 40)


@pytest.mark.parametrize(
    ("script", "target", "map_"),
    [
        ("~/a/b.js", "b.js.map", "~/a/b.js.map"),
        ("~/a/b.js", "../maps/b.js.map", "~/maps/b.js.map"),
        ("~/a/b.js", "/m/b.js.map", "~/m/b.js.map"),
        ("~/b.js", "b%20c.map", "~/b c.map"),
        ("https://x.example/b.js", "https://x.example/b.js.map", "https://x.example/b.js.map"),
    ],
)
def test_a_script_s_map_is_told_relative_to_it(script, target, map_):
    assert bundle._map_of({"url": script, "sourcemap": target}) == map_


def test_a_token_that_can_be_guessed_is_refused():
    found = run("serve", "--token", "short")
    assert found.exit_code == 2
    assert "at least 16 characters" in found.output
