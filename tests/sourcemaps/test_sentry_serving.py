"""How `catchwater sourcemaps serve` starts, waits and forgets."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import closing
from datetime import timedelta

import orjson
import pytest
from pymongo import MongoClient

from catchwater.errors import UploadError
from catchwater.instants import iso
from catchwater.sourcemaps.store import MapStore
from catchwater.sourcemaps.upload.assembling import Assembler, Order
from catchwater.sourcemaps.upload.chunks import STORED_S, Chunks
from tests.sourcemaps.explained import run, simple
from tests.sourcemaps.sentry import manifest, served, sha1, zipped
from tests.waiting import wait_until

FILES = {"manifest.json": manifest(m={"type": "source_map", "url": "~/a.js.map"}), "m": simple()}
KEPT = timedelta(days=90)


def order_of(*chunks: bytes) -> Order:
    return Order(
        checksum=sha1(b"".join(chunks)),
        chunks=tuple(map(sha1, chunks)),
        projects=("1",),
        version="r",
    )


def asked(assembler: Assembler, *orders: Order):
    async def ask():
        return [await assembler.state(order) for order in orders]

    return asyncio.run(ask())


@pytest.mark.parametrize("token", ["", "short", "é" * 40, "with a space in it and long enough"])
def test_it_does_not_start_without_a_token_that_is_worth_it(token, monkeypatch):
    monkeypatch.setenv("CATCHWATER_MAPS_TOKEN", token)
    done = run("serve")
    assert done.exit_code == 2
    assert "token" in done.output


def test_a_port_that_is_taken_is_told_with_the_next_step(mongo_url, tmp_path):
    with served(mongo_url, tmp_path) as server:
        (tmp_path / "other").mkdir()
        with (
            pytest.raises(AssertionError, match="CATCHWATER_MAPS_PORT"),
            served(mongo_url, tmp_path / "other", MAPS_PORT=str(server.port)),
        ):
            pass


def test_while_mongodb_is_away_the_upload_fails_in_words_and_may_be_asked_for_again(tmp_path):
    with served("mongodb://127.0.0.1:1", tmp_path) as server:
        raw = zipped(FILES)
        for told in (server.bundle(raw), server.assemble(raw)):
            assert told[1]["state"] == "error"
            assert "MongoDB is away" in told[1]["detail"]


def test_nothing_of_an_upload_is_left_on_the_disk(mongo, tmp_path):
    with served(mongo, tmp_path) as server:
        assert server.bundle(zipped(FILES))[1]["state"] == "ok"
        (folder,) = tmp_path.glob("catchwater-maps-*")
        assert list(folder.iterdir()) == []
        server.send(("file", sha1(b"a"), b"a"))
        assert [one.name for one in folder.iterdir()] == [sha1(b"a")]
    assert not folder.exists()


def test_a_new_project_may_upload_without_a_restart(mongo, tmp_path):
    with served(mongo, tmp_path) as server:
        raw = zipped(FILES)
        server.send(("file", sha1(raw), raw))
        assert server.assemble(raw, projects=["3"])[0] == 400
        with (tmp_path / "projects.yaml").open("a") as file:
            file.write(f'- {{id: "3", name: new, key: "{"3" * 32}"}}\n')
        wait_until(lambda: server.assemble(raw, projects=["new"])[0] == 200, "the project is known")
        assert server.assemble(raw, projects=["3"])[1]["state"] == "ok"


def test_a_bundle_of_several_chunks_is_whole_only_with_the_last(mongo, tmp_path):
    raw = zipped(FILES)
    parts = [raw[:100], raw[100:200], raw[200:]]
    chunks = Chunks(tmp_path)
    with closing(MapStore(mongo)) as store:
        assembler = Assembler(store, chunks, KEPT)
        for count in range(3):
            (told,) = asked(assembler, order_of(*parts))
            assert (told["state"], told["missingChunks"]) == (
                "not_found",
                [sha1(one) for one in parts[count:]],
            )
            chunks.put(sha1(parts[count]), parts[count])
        assert asked(assembler, order_of(*parts)) == [
            {"state": "ok", "missingChunks": [], "detail": None}
        ]


def test_who_asks_again_because_the_answer_was_lost_hears_the_same_until_it_is_forgotten(
    mongo, tmp_path
):
    raw = zipped(FILES)
    chunks = Chunks(tmp_path)
    chunks.put(sha1(raw), raw)

    async def states(assembler):
        for moment in (0.0, 1_000.0, 1_059.0, 1_061.0):
            assembler.sweep(moment)
            yield (await assembler.state(order_of(raw)))["state"]

    async def listed(assembler):
        return [state async for state in states(assembler)]

    with closing(MapStore(mongo)) as store:
        assert asyncio.run(listed(Assembler(store, chunks, KEPT))) == [
            "ok",
            "ok",
            "ok",
            "not_found",
        ]


def test_a_bundle_that_takes_long_is_said_to_be_under_way(mongo, tmp_path):
    raw = zipped(FILES)
    chunks = Chunks(tmp_path)
    chunks.put(sha1(raw), raw)

    async def ask(assembler):
        states = [(await assembler.state(order_of(raw)))["state"]]
        while states[-1] == "assembling":
            states.append((await assembler.state(order_of(raw)))["state"])
        return states

    with closing(MapStore(mongo)) as store:
        states = asyncio.run(ask(Assembler(store, chunks, KEPT, answer_after_s=0.0)))
    assert set(states) == {"assembling", "ok"}


def test_chunks_have_little_room_and_go_after_an_hour(tmp_path):
    chunks = Chunks(tmp_path, room=10)
    chunks.put(sha1(b"12345678"), b"12345678")
    chunks.put(sha1(b"12345678"), b"12345678")
    with pytest.raises(UploadError, match="try again in an hour"):
        chunks.put(sha1(b"123"), b"123")
    chunks.sweep(time.time() + STORED_S - 60)
    assert chunks.missing([sha1(b"12345678")]) == []
    os.utime(tmp_path / sha1(b"12345678"), (time.time() - STORED_S - 1,) * 2)
    chunks.sweep()
    chunks.put(sha1(b"123"), b"123")
    assert list(tmp_path.iterdir()) == [tmp_path / sha1(b"123")]


def test_the_log_says_what_became_of_each_file(mongo, tmp_path):
    script = {"type": "minified_source", "url": "~/b.js", "headers": {"Sourcemap": "gone.map"}}
    files = FILES | {
        "manifest.json": manifest(m={"type": "source_map", "url": "~/a.js.map"}, s=script)
    }
    with served(mongo, tmp_path) as server:
        server.bundle(zipped(files))
    told = [orjson.loads(line) for line in server.log.splitlines()]
    found = {one["file"]: (one["outcome"], one["text"]) for one in told if one["event"] == "a file"}
    assert found["~/a.js.map"][0] == "uploaded"
    assert found["~/b.js"] == ("skipped", "its map gone.map is not in the bundle")


def test_releases_are_answered_as_sentry_cli_2_and_3_ask_for_them(mongo_url, tmp_path):
    with served(mongo_url, tmp_path) as server:
        for place in ("/api/0/organizations/any", "/api/0/projects/any/shop"):
            status, told = server.ask("POST", f"{place}/releases/", b'{"version": "a@1"}')
            assert (status, told["version"]) == (201, "a@1")
            status, told = server.ask("PUT", f"{place}/releases/a%401/", b"{}")
            assert (status, told["version"]) == (200, "a@1")
            assert server.ask("POST", f"{place}/releases/", b'{"version": []}')[0] == 400


def test_sentry_clis_finalize_and_deploys_mark_when_a_release_is_out(mongo, tmp_path):
    place = "/api/0/organizations/any/releases"
    at = "2026-11-20T10:00:00Z"
    with served(mongo, tmp_path) as server, MongoClient(mongo, tz_aware=True) as client:
        deploys = client.catchwater.deploys
        deploys.drop()
        body = {"projects": ["1"], "version": "a@1"}
        assert server.ask("POST", f"{place}/", orjson.dumps(body))[0] == 201
        assert deploys.count_documents({}) == 0, "it is only being made"
        body = {"projects": ["1"], "dateReleased": at}
        assert server.ask("PUT", f"{place}/a%401/", orjson.dumps(body))[0] == 200
        body = {"environment": "production", "dateFinished": at}
        status, told = server.ask("POST", f"{place}/a%401/deploys/", orjson.dumps(body))
        assert (status, told["environment"], told["dateFinished"]) == (201, "production", at)
        found = sorted((one["_id"], iso(one["at"])) for one in deploys.find())
        assert found == [
            ("1:a@1@", "2026-11-20T10:00:00.000Z"),
            ("1:a@1@production", "2026-11-20T10:00:00.000Z"),
        ]
        body |= {"projects": ["nobody's"]}
        status, told = server.ask("POST", f"{place}/a%401/deploys/", orjson.dumps(body))
        assert (status, "there is no such project" in told["detail"]) == (400, True)
