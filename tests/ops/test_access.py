"""The users of ops/access on real servers: each service can do its work, and no more."""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from catchwater.answers import Move
from catchwater.config.streamdefs import load
from catchwater.errors import NotReplicatedError, RefusedError
from catchwater.event import Event, encode
from catchwater.redis_client import Connection
from catchwater.streams.commit import Entry
from catchwater.streams.consumer import Consumer, prepare
from tests.ops.least_privilege import KEY, Guarded
from tests.ops.tool import ROOT
from tests.waiting import wait_until

CLAIMED_S = 90
"""What a killed process had in its hands is claimed after 30 s (`claim_after`), at the earliest."""

MAP = {"version": 3, "sources": ["src/b.js"], "names": [], "mappings": "AAAA"}
STACK = "TypeError: x\n    at pay (https://shop.example/a.js:1:1)"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """The servers alone: what is tried there is denied, and nothing else."""
    with Guarded(tmp_path_factory.mktemp("guarded")).servers() as one:
        yield one


@pytest.fixture
def at_work(tmp_path):
    with Guarded(tmp_path).services() as one:
        yield one


def post(guarded, key, number):
    report = {
        "id": f"{number:032x}",
        "type": "TypeError",
        "message": "x is not a function",
        "stack": STACK,
        "release": "1",
    }
    request = Request(
        f"http://127.0.0.1:{guarded.ingest_port}/e/{key}", json.dumps(report).encode()
    )
    try:
        return urlopen(request, timeout=10).status
    except HTTPError as error:
        return error.code


def audit(guarded):
    return json.loads(guarded.command("audit", "--json").stdout)


def is_empty(told):
    return told["on_the_way"] == 0 == told["missing"]


def said(guarded, *arguments):
    done = guarded.command(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def handle_issues(at_work):
    """The operator acts on them, and the notifier tries to tell somebody."""
    (issue,) = said(at_work, "issue", "resolve", "--query", "is:unresolved").split()[:1]
    for said_of in (("note", "--text", "seen"), ("ignore",), ("reopen",)):
        assert issue in said(at_work, "issue", *said_of, issue)
    with MongoClient(at_work.mongo_url("notify")) as client:
        wait_until(lambda: client.catchwater.notices.find_one({"state": "failed"}), "it is refused")


def look(at_work):
    for command in ("status", "check --live", f"inspect {1:032x}", "tail raw --once"):
        said(at_work, *command.split())
    (issue,) = said(at_work, "issue", "list").split()[:1]
    said(at_work, "export", f"{at_work.folder}/exported", "--issue", issue)
    for what in ("--issue", issue), ("--user", "nobody"), ("--project", "1"):
        said(at_work, "erase", "--yes", *what)


def upload_maps(at_work, folder):
    """Behind the events: samples and issues are changed, too."""
    (folder / "a.js").write_text("a()\n//# sourceMappingURL=a.js.map")
    (folder / "a.js.map").write_text(json.dumps(MAP))
    wait_until(lambda: is_empty(audit(at_work)), "samples are stored", CLAIMED_S)
    upload = ("sourcemaps", "upload", "--project", "1", "--release", "1", str(folder))
    assert " is counted in 1:v1:" in said(at_work, *upload)
    assert "a.js" in said(at_work, "sourcemaps", "list", "--project", "1")


@pytest.mark.timeout(400)
def test_every_service_can_do_its_work(at_work, tmp_path):
    assert [post(at_work, KEY, number) for number in (1, 2, 3, 3)] == [204] * 4
    assert 429 in [post(at_work, "2" * 32, number) for number in range(100, 140)], "a rate"
    assert post(at_work, "9" * 32, 5) == 403, "counted as refused"
    at_work.kill("sink")  # what it leaves is claimed
    ingest = Connection(at_work.redis_url("ingest"))
    ingest.call("XADD", "cw:{p0}:stream:raw", "*", "id", "f" * 32, "head", "no event", "body", "")
    wait_until(lambda: "p0/" in said(at_work, "dead", "list"), "it is a dead letter")
    assert "replayed 1" in said(at_work, "dead", "replay", "--all")
    wait_until(lambda: "p0/" in said(at_work, "dead", "list"), "it is one again")
    assert "dropped 1" in said(at_work, "dead", "drop", "--all")
    upload_maps(at_work, tmp_path)
    assert post(at_work, KEY, 7) == 204
    wait_until(lambda: is_empty(audit(at_work)), "all is in", CLAIMED_S)
    for page in ("/", "/pipeline", "/api/issues"):
        address = f"http://127.0.0.1:{at_work.dashboard_port}{page}"
        assert urlopen(address, timeout=10).status == 200
    handle_issues(at_work)
    look(at_work)
    assert at_work.denied() == []


@pytest.mark.timeout(200)
def test_who_may_grow_the_partitions_can(tmp_path):
    """And the stages can work on what has grown: they move it, and look for replicas."""
    pipeline = (ROOT / "streamdefs.yaml").read_text()
    doubled = tmp_path / "doubled.yaml"
    doubled.write_text(pipeline.replace("partitions: 8", "partitions: 16"))
    with Guarded(tmp_path).servers() as one:
        stage = Connection(one.redis_url("stage"))
        prepare(stage, load(ROOT / "streamdefs.yaml"))
        marked = ("HSET", "cw:{p42}:marks:dedupe:1", "slots", "[2]", "marks", "1")
        stage.calls([marked, ("EXPIRE", marked[1], 600)])
        grow = one.command("partitions", "grow", "--streamdefs", str(doubled), user="grow")
        assert grow.returncode == 0, grow.stdout + grow.stderr
        assert "grown 16 of 16" in grow.stdout
        assert stage.call("HGET", "cw:{p60}:marks:dedupe:1", "marks") == b"1"
        prepare(stage, load(doubled))
        consumer = Consumer(stage, load(doubled), "dedupe", "a")
        event = Event("0" * 32, "1", 0, "named", b"{}")
        here = (consumer._defs.partition_of(event.id) + 1) % 16
        entry = Entry(here, "1-1", encode(event))
        stage.call("HSET", "cw:meta", "wait_replicas", "1")
        with pytest.raises(NotReplicatedError):
            consumer.commit([(entry, Move(event))])
        stage.close()
        assert one.denied() == []


REDIS = {
    "ingest": [
        ("XREADGROUP", "GROUP", "fingerprint", "x", "STREAMS", "cw:{p0}:stream:raw", ">"),
        ("XADD", "cw:{p0}:stream:named", "*", "id", "1"),
        ("XDEL", "cw:{p0}:stream:raw", "1-1"),
        ("HINCRBY", "cw:{p0}:ledger", "done", 1),
        ("EVAL", "redis.call('DEL', KEYS[1])", 1, "cw:door"),
        ("SET", "cw:{p0}:life", "x"),
    ],
    "stage": [("XDEL", "cw:{p0}:stream:raw", "1-1"), ("DEL", "cw:{p0}:ledger"), ("SET", "x", "y")],
    "sink": [("HSET", "cw:{p0}:tally:x", "a", 1), ("DEL", "cw:{p0}:stream:raw"), ("GET", "x")],
    "dashboard": [
        ("XADD", "cw:{p0}:stream:raw", "*", "id", "1"),
        ("HSET", "cw:meta", "partitions", 1),
        ("CONFIG", "GET", "*"),
    ],
    "grow": [
        ("XADD", "cw:{p0}:stream:raw", "*", "id", "1"),
        ("HINCRBY", "cw:{p0}:ledger", "done", 1),
        ("DEL", "cw:{p0}:life"),
        ("HSET", "cw:{p0}:tally:x", "a", 1),
    ],
    "operator": [("SET", "cw:{p0}:life", "x"), ("HSET", "cw:meta", "partitions", 1)],
}
FOR_NOBODY = [
    ("FLUSHALL",),
    ("KEYS", "*"),
    ("CONFIG", "SET", "appendfsync", "no"),
    ("SHUTDOWN",),
    ("ACL", "LIST"),
    ("MONITOR",),
    ("REPLICAOF", "NO", "ONE"),
]


@pytest.mark.parametrize("user", REDIS)
def test_nobody_can_do_more_in_redis(guarded, user):
    connection = Connection(guarded.redis_url(user))
    for command in REDIS[user] + FOR_NOBODY:
        with pytest.raises(RefusedError, match=r"permission|can't run this command"):
            connection.call(*command)
    connection.close()


def test_the_sink_s_user_may_make_the_indexes_that_migrate_finds_missing(guarded):
    url = guarded.mongo_url("sink")
    for ends in ("steps done", "nothing is left to do"):
        said = guarded.command("migrate", "--mongo-url", url)
        assert said.returncode == 0, said.stderr
        assert said.stdout.rstrip().endswith(ends)


MONGO = {
    "sink": [
        lambda database: database.samples.delete_many({}),
        lambda database: database.issues.drop(),
        lambda database: database.map_names.find_one(),
    ],
    "fingerprint": [
        lambda database: database.issues.insert_one({}),
        lambda database: database.samples.find_one(),
        lambda database: database.map_names.insert_one({}),
    ],
    "notify": [
        lambda database: database.issues.insert_one({}),
        lambda database: database.issues.delete_one({}),
        lambda database: database.notices.delete_many({}),
        lambda database: database.hours.insert_one({}),
    ],
    "dashboard": [
        lambda database: database.issues.insert_one({}),
        lambda database: database.issues.update_one({}, {"$set": {"x": 1}}),
        lambda database: database.samples.delete_one({}),
        lambda database: database.map_names.find_one(),
    ],
    "operator": [
        lambda database: database.hours.insert_one({}),
        lambda database: database.issues.drop(),
    ],
}
ALSO_FOR_NOBODY = [
    lambda database: database.client.other.things.insert_one({}),
    lambda database: database.client.admin.command("shutdown"),
    lambda database: database.command("createUser", "x", pwd="y", roles=["root"]),
    lambda database: database.client.drop_database("catchwater"),
]


@pytest.mark.parametrize("user", MONGO)
def test_nobody_can_do_more_in_mongodb(guarded, user):
    with MongoClient(guarded.mongo_url(user)) as client:
        for action in MONGO[user] + ALSO_FOR_NOBODY:
            with pytest.raises(OperationFailure, match="not authorized"):
                action(client.catchwater)


def test_passwords_are_made_once_and_read_by_nobody_else(guarded):
    before = (guarded.folder / "ops/.env").read_text()
    guarded.make_passwords()
    assert (guarded.folder / "ops/.env").read_text() == before
    assert (guarded.folder / "ops/.env").stat().st_mode & 0o777 == 0o600
    hashes = (guarded.folder / "ops/access/users.acl").read_text()
    assert "#{" not in hashes
    assert not any(password in hashes for password in guarded.passwords.values())
