"""`catchwater erase` and `export`: a person's data goes, the counts stay, whatever is killed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from pymongo import MongoClient

from catchwater.commands.erase import Erasure
from catchwater.config.streamdefs import StreamDefs, load
from catchwater.event import Event
from catchwater.issues.erasing import Eraser
from catchwater.redis_client import Connection
from catchwater.streams import keys, time_buckets
from catchwater.streams.counters import escape_key
from tests.commands.conftest import Shell, command
from tests.commands.test_commands import status
from tests.waiting import wait_until

JOE, ANN = "u-joe.1$", "u-ann"
pytestmark = pytest.mark.timeout(240)


def report(number: int, user: str, message: str = "x is undefined", project: str = "1") -> Event:
    said = {"type": "TypeError", "message": message, "user": {"id": user}, "tags": {"uid": user}}
    body = json.dumps(said).encode()
    return Event(f"{number:032x}", project, int(time.time() * 1000), "snippet", body)


@pytest.fixture
def mongo(shell: Shell, mongo_url: str) -> Iterator[Any]:
    shell.settings["CATCHWATER_MONGO_URL"] = mongo_url
    with MongoClient[Any](mongo_url) as client:
        client.drop_database("catchwater")
        yield client.catchwater
        client.drop_database("catchwater")


@pytest.fixture
def at_work(shell: Shell, mongo: Any) -> None:
    shell.start("stage", "fingerprint", "dedupe", "count")
    shell.start("sink")


def stored(shell: Shell) -> None:
    wait_until(
        lambda: not any(one["depth"] for one in status(shell)["stages"]), "all is stored", 60
    )


def everything(shell: Shell, mongo: Any) -> str:
    """All that MongoDB and Redis hold, but for the marks, as one text."""
    connection = Connection(shell.redis_url)
    found = [repr(one) for name in mongo.list_collection_names() for one in mongo[name].find()]
    for name in connection.call("KEYS", "cw:*"):
        kind = connection.call("TYPE", name)
        if kind == b"hash":
            found.append(repr(connection.call("HGETALL", name)))
        elif kind == b"stream" and name.endswith(b":dead"):
            found.append(repr(connection.call("XRANGE", name, "-", "+")))
    connection.close()
    return "\n".join(found)


def adds_up(shell: Shell) -> dict[str, Any]:
    audit = json.loads(shell("audit", "--json").stdout)
    assert (audit["adds_up"], audit["missing"]) == (True, 0)
    assert audit["stored"] == audit["counted"]
    return dict(audit)


def erased(shell: Shell, *what: str) -> str:
    done = shell("erase", "--yes", *what)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_user_is_erased_and_everybody_else_stays(
    shell: Shell, mongo: Any, at_work: None, accept: Callable[[Event], None]
):
    for number in range(6):
        accept(report(number, JOE if number % 2 else ANN))
    stored(shell)
    assert JOE in everything(shell, mongo)
    before = adds_up(shell)
    assert erased(shell, "--user", JOE) == "erased 3 samples, 1 values of tags, 0 dead letters\n"
    left = everything(shell, mongo)
    assert (JOE in left, JOE.replace(".", "%2E").replace("$", "%24") in left) == (False, False)
    assert ANN in left
    assert mongo.samples.count_documents({}) == 3
    assert adds_up(shell) == before, "nothing is counted otherwise"
    accept(report(9, JOE))
    stored(shell)
    (tags,) = mongo.tags.find()
    assert list(tags["values"]["uid"]["u-joe%2E1%24"].values()) == [1], "from now on, anew"


def test_events_on_their_way_are_waited_for(
    shell: Shell, mongo: Any, accept: Callable[[Event], None]
):
    accept(report(1, JOE))
    refused = shell("erase", "--yes", "--user", JOE, "--wait", "0.5")
    assert refused.returncode == 1
    assert "run it again when they are done" in refused.stderr
    shell.start("stage", "fingerprint", "dedupe", "count")
    shell.start("sink")
    assert erased(shell, "--user", JOE).startswith("erased 1 samples, 1 values of tags")
    assert JOE not in everything(shell, mongo)


def test_a_dead_letter_that_names_the_user_is_dropped_and_counted_as_that(
    shell: Shell, mongo: Any, reject: Callable[[Event], None]
):
    reject(report(1, JOE))
    reject(report(2, ANN))
    assert erased(shell, "--user", JOE).endswith("1 dead letters\n")
    left = everything(shell, mongo)
    assert (JOE in left, ANN in left) == (False, True)
    assert status(shell)["audit"]["dropped"] == {"operator": 1}


def test_a_dead_letter_that_is_only_counted_names_its_user_in_its_facts(
    shell: Shell, mongo: Any, reject: Callable[[Event], None]
):
    for number, user in enumerate((JOE, ANN)):
        facts = {"issue": "1:v1:a", "user": f"id:{user}", "tags": {"release": "1"}}
        reject(replace(report(number, user), kind="named", body=b"", facts=facts))
    assert erased(shell, "--user", JOE).endswith("1 dead letters\n")
    left = everything(shell, mongo)
    assert (JOE in left, ANN in left) == (False, True)


@pytest.mark.parametrize("option", ["--issue", "--project"])
def test_an_issue_and_a_project_lose_all_but_their_counts(
    shell: Shell, mongo: Any, at_work: None, accept: Callable[[Event], None], option: str
):
    accept(report(1, JOE, "joe@shop has no basket"))
    accept(report(2, ANN, "another", project="2"))
    stored(shell)
    before, issue = adds_up(shell), mongo.issues.find_one({"project": "1"})["_id"]
    assert "1 samples" in erased(shell, option, issue if option == "--issue" else "1")
    left = everything(shell, mongo)
    assert (JOE in left, "basket" in left, ANN in left) == (False, False, True)
    assert adds_up(shell) == before
    kept = mongo.issues.find_one({"_id": issue})
    assert (kept["type"], kept["message"], kept["users"], kept["count"]) == ("(erased)", "", 0, 1)


def test_a_facet_that_outlived_its_counts_goes_too(shell: Shell, mongo: Any):
    """An issue is seen for years, and its tags are counted for months."""
    own = [f"uid\t{JOE}", f"uid\t{JOE}x", f"uid\tx{JOE}", f"uid\t{ANN}"]
    for project in "12":
        issue = {"_id": f"{project}:v1:a", "project": project, "facets": own}
        mongo.issues.insert_one(issue)
    erased(shell, "--user", JOE, "--project", "1")
    assert mongo.issues.find_one({"project": "1"})["facets"] == own[1:]
    assert mongo.issues.find_one({"project": "2"})["facets"] == own
    erased(shell, "--user", JOE)
    assert mongo.issues.find_one({"project": "2"})["facets"] == own[1:]


@pytest.mark.parametrize(
    "wrong", [(), ("--user", "a", "--issue", "b"), ("--issue", "b", "--project", "1")]
)
def test_what_is_to_be_erased_must_be_clear(shell: Shell, wrong: tuple[str, ...]):
    for name in (("erase", "--yes"), ("export", "out.jsonl")):
        found = shell(*name, *wrong)
        assert found.returncode == 2
        assert "say --user, --issue or --project" in found.stderr


def test_without_a_yes_nothing_is_erased(shell: Shell, mongo: Any):
    mongo.samples.insert_one({"_id": "a", "issue": "1:v1:a", "project": "1"})
    assert shell("erase", "--issue", "1:v1:a").returncode == 1
    assert mongo.samples.count_documents({}) == 1


def killed(shell: Shell, *arguments: str, after: float) -> None:
    process = subprocess.Popen(
        command(*arguments), cwd=shell.folder, env=shell._environment(), stdout=subprocess.DEVNULL
    )
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_an_erasure_that_is_killed_and_run_again_ends_the_same(
    shell: Shell, mongo: Any, at_work: None, accept: Callable[[Event], None]
):
    for number in range(300):
        accept(report(number, JOE if number % 3 else ANN, f"fault {chr(97 + number % 20)}"))
    stored(shell)
    before = adds_up(shell)
    delays = random.Random(14)
    for _ in range(3):
        killed(shell, "erase", "--yes", "--user", JOE, after=delays.uniform(0.8, 2.5))
    erased(shell, "--user", JOE)
    left = everything(shell, mongo)
    assert (JOE in left, "u-joe" in left, ANN in left) == (False, False, True)
    assert adds_up(shell) == before
    assert erased(shell, "--user", JOE) == "erased 0 samples, 0 values of tags, 0 dead letters\n"


def test_an_export_that_was_cut_short_goes_on_where_it_ended(shell: Shell, mongo: Any):
    for number in range(50):
        mongo.samples.insert_one({"_id": f"{number:02}", "project": "1", "issue": f"1:v1:{number}"})
        mongo.issues.insert_one({"_id": f"1:v1:{number:02}", "project": "1", "message": "é\n" * 9})
    mongo.issues.insert_one({"_id": "2:v1:a", "project": "2"})
    assert shell("export", "whole.jsonl", "--project", "1").returncode == 0
    whole = (shell.folder / "whole.jsonl").read_bytes()
    places = [(one["collection"], one["id"]) for one in map(json.loads, whole.splitlines())]
    assert len(set(places)) == len(places) == 100
    for cut in (0, 1, 30, len(whole) // 3, len(whole) - 1, len(whole)):
        (shell.folder / "part.jsonl").write_bytes(whole[:cut])
        assert shell("export", "part.jsonl", "--project", "1").returncode == 0
        assert (shell.folder / "part.jsonl").read_bytes() == whole, cut


def test_a_file_that_is_no_export_is_left_alone(shell: Shell, mongo: Any):
    for text in ("secret diary", "one\ntwo", '{"a": 1}\n'):
        (shell.folder / "diary").write_text(text)
        found = shell("export", "diary", "--project", "1")
        assert (found.returncode, "is no export" in found.stderr) == (2, True)
        assert (shell.folder / "diary").read_text() == text


def test_a_user_is_exported_with_whole_events(
    shell: Shell, mongo: Any, at_work: None, accept: Callable[[Event], None]
):
    accept(report(1, JOE))
    accept(report(2, ANN))
    stored(shell)
    assert shell("export", "joe.jsonl", "--user", JOE).returncode == 0
    (line,) = (shell.folder / "joe.jsonl").read_text().splitlines()
    assert json.loads(line)["event"]["user"] == {"id": JOE}


class StopError(Exception):
    """Stands for the death of the process."""


class Mortal:
    """Passes calls on to another object, and dies at the one of a number."""

    def __init__(self, other: Any, calls: list[int]) -> None:
        self._other, self._calls = other, calls

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._other, name)

        def call(*arguments: Any) -> Any:
            self._calls[0] -= 1
            if not self._calls[0]:
                raise StopError
            return method(*arguments)

        return call


@pytest.mark.parametrize("what", [("user", JOE, ""), ("issue", "1:v1:a"), ("project", "1")])
def test_wherever_it_dies_the_next_run_ends_the_same(shell: Shell, mongo: Any, what: Any):
    """At each call of Redis or MongoDB in turn."""
    defs, name, arguments = load(shell.folder / "streamdefs.yaml"), what[0], what[1:]
    connection, eraser = Connection(shell.redis_url), Eraser(shell.settings["CATCHWATER_MONGO_URL"])
    calls, ends, died = 0, set(), True
    while died:
        calls += 1
        fill(connection, mongo, defs)
        left = [calls]
        mortal = Erasure(
            cast("Any", Mortal(connection, left)), defs, cast("Any", Mortal(eraser, left))
        )
        try:
            getattr(mortal, name)(*arguments)
            died = False
        except StopError:
            getattr(Erasure(connection, defs, eraser), name)(*arguments)
        ends.add(everything(shell, mongo))
    assert calls > 4, "it died in the middle, too"
    assert len(ends) == 1
    assert JOE not in ends.pop()
    connection.close()
    eraser.close()


def fill(connection: Connection, mongo: Any, defs: StreamDefs) -> None:
    """What an issue of one user is in both servers, always the same."""
    month, user = time_buckets.month(int(time.time() * 1000)), escape_key(JOE)
    for name in ("issues", "tags", "samples"):
        mongo[name].delete_many({})
    event = zlib.compress(json.dumps({"user": {"id": JOE}}).encode())
    issue = {"_id": "1:v1:a", "project": "1", "parts": {"x": 2}, "facets": [f"uid\t{JOE}"]}
    mongo.issues.insert_one(issue | {"message": "x is undefined", "u": {"1": 3}})
    values = {"uid": {user: {"x": 2}}}
    mongo.tags.insert_one({"_id": f"1:v1:a:{month}", "issue": "1:v1:a", "values": values})
    sample = {"_id": "e", "project": "1", "issue": "1:v1:a", "event": event}
    mongo.samples.insert_one(sample)
    for tag in defs.tags:
        key, field = keys.tally(tag, month, "1:v1:a"), f"tag\tuid\t{JOE}"
        connection.call("HSET", key, "_part", "1 2", "events", 2, field, 2)
        connection.call("EXPIRE", key, 3600)
