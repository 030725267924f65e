"""What MongoDB keeps, and lets go of by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId
from pymongo import MongoClient

from catchwater.sourcemaps.store import sha_of
from tests.sourcemaps.explained import run, simple, upload

DAY = 86_400


@pytest.fixture
def database(mongo):
    with MongoClient(mongo, tz_aware=True) as client:
        yield client.catchwater


def expiry(database, name):
    return {
        next(iter(one["key"])): one["expireAfterSeconds"]
        for one in database[name].list_indexes()
        if "expireAfterSeconds" in one
    }


def test_names_files_and_chunks_expire_after_the_retention_that_is_set(mongo, database, tmp_path):
    (tmp_path / "shop.js.map").write_bytes(simple())
    upload(mongo, tmp_path, "--release", "r")
    (tmp_path / "streamdefs.yaml").write_text(
        "streams: {raw: {}, counted: {}}\n"
        "stages: {count: {run: 'stages.count:count', reads: raw, emits: counted},"
        " sink: {run: sink, reads: counted}}\nretention: {maps: 7d}\n"
    )
    assert (
        upload(
            mongo, tmp_path, "--release", "r", "--streamdefs", str(tmp_path / "streamdefs.yaml")
        ).exit_code
        == 0
    )
    assert expiry(database, "map_names") == {"uploaded": 7 * DAY}
    assert expiry(database, "map_projects") == {"changed": 7 * DAY}
    assert expiry(database, "maps.files") == {"metadata.uploaded": 7 * DAY}
    assert expiry(database, "maps.chunks") == {"uploaded": 8 * DAY}


def test_two_releases_share_their_bytes_and_the_later_upload_keeps_them(mongo, database, tmp_path):
    (tmp_path / "shop.js.map").write_bytes(simple())
    upload(mongo, tmp_path, "--release", "one")
    first = max(database["maps.files"].distinct("metadata.uploaded"))
    upload(mongo, tmp_path, "--release", "two")
    sha = sha_of(simple())
    assert set(database["maps.files"].distinct("filename")) == {sha, f"{sha}.places.1"}
    assert min(database["maps.files"].distinct("metadata.uploaded")) > first
    assert database["maps.chunks"].count_documents({"uploaded": {"$gt": first}}) == 2
    listed = run("list", "--project", "1", "--mongo-url", mongo).output
    assert [line.split()[2] for line in listed.splitlines()] == ["two", "one"]


def test_chunks_of_an_upload_that_died_are_taken_away_by_a_later_one(mongo, database, tmp_path):
    died = ObjectId.from_datetime(datetime.now(UTC) - timedelta(hours=2))
    database["maps.chunks"].insert_one({"_id": died, "files_id": ObjectId(), "n": 0, "data": b"x"})
    (tmp_path / "shop.js.map").write_bytes(simple())
    upload(mongo, tmp_path, "--release", "r")
    assert database["maps.chunks"].find_one({"_id": died}) is None
