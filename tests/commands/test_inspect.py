"""`catchwater inspect` and `catchwater tail`: where one event is, and what passes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pymongo import MongoClient

from catchwater.answers import Answer, Drop, Emit, Reject, Tally
from catchwater.config.streamdefs import load
from catchwater.event import Event, decode, encode
from catchwater.local.servers import free_port
from catchwater.redis_client import Connection
from catchwater.streams import keys
from catchwater.streams.consumer import Consumer
from tests.commands.conftest import Shell, command
from tests.commands.test_commands import report
from tests.waiting import wait_until

ISSUE = "1:v1:abc"


@pytest.fixture(autouse=True)
def mongo(shell: Shell, mongo_url: str) -> Iterator[Any]:
    shell.settings["CATCHWATER_MONGO_URL"] = mongo_url
    with MongoClient[Any](mongo_url) as client:
        yield client.catchwater
        client.drop_database("catchwater")


@pytest.fixture
def move(shell: Shell) -> Iterator[Callable[..., None]]:
    """Lets a stage give an answer to all that waits for it."""
    defs, connection = load(shell.folder / "streamdefs.yaml"), Connection(shell.redis_url)

    def moved(stage: str, answer: Callable[[Event], Answer] = Emit) -> None:
        consumer = Consumer(connection, defs, stage, "worker-1")
        while batch := consumer.read():
            consumer.commit([(entry, answer(decode(entry.fields))) for entry in batch])

    yield moved
    connection.close()


def named(event: Event) -> Answer:
    return Emit(event.with_(kind="named", facts={"issue": ISSUE, "n": 1}))


def once(event: Event) -> Answer:
    return Emit(event, once=event.mark)


def counted(event: Event) -> Answer:
    return Emit(event, tally=Tally(ISSUE, about={"type": "E", "message": "m"}))


def inspected(shell: Shell, number: int = 1, *more: str) -> dict[str, Any]:
    shown = shell("inspect", f"{number:032x}", "--project", "1", "--json", *more)
    assert shown.stdout, shown.stderr
    return json.loads(shown.stdout)


def end(shell: Shell, number: int = 1) -> str:
    return str(inspected(shell, number)["conclusions"][-1])


def test_an_event_is_followed_through_every_stage(shell: Shell, accept: Any, move: Any):
    accept(report())
    said = end(shell)
    assert said == "It waits in raw for fingerprint, 0 unread before it in its partition"
    move("fingerprint", named)
    assert end(shell).startswith("It waits in named for dedupe")
    move("dedupe", once)
    assert "dedupe passed it on between" in inspected(shell)["conclusions"][1]
    assert end(shell).endswith("every further copy is a duplicate"), "it is not counted yet"
    move("count", counted)
    assert inspected(shell)["issues"] == [ISSUE]
    assert end(shell) == f"It is counted in the issue {ISSUE}, and no sample of it is stored"


def test_how_many_wait_before_it_is_said(shell: Shell, accept: Any):
    for number in range(1, 300):
        accept(report(number))
    found = inspected(shell, 299)
    (copy,) = found["copies"]
    assert 100 < copy["before"] < 200, "about half of them: there are two partitions"
    assert f"{copy['before']} unread before it" in found["conclusions"][0]
    short = inspected(shell, 299, "--most", "100")
    assert short["conclusions"] == ["There is no trace of it"]
    assert any("raw has more entries" in one for one in short["unknown"])


def test_who_works_on_it_is_said(shell: Shell, accept: Any):
    accept(report())
    connection = Connection(shell.redis_url)
    Consumer(connection, load(shell.folder / "streamdefs.yaml"), "fingerprint", "worker-7").read()
    connection.close()
    assert re.fullmatch(
        r"fingerprint works on it: pending for 'worker-7' since [\d.]+ s, delivery 1", end(shell)
    )


def test_a_dead_letter_is_found_with_its_reason(shell: Shell, reject: Any):
    reject(report())
    shown = shell("inspect", report().id)
    assert shown.returncode == 0
    assert "fingerprint: it is purple" in shown.stdout
    assert "fingerprint rejected it after 1 deliveries: it is the dead letter p" in shown.stdout


def test_a_dropped_event_is_told_from_one_that_never_came(shell: Shell, accept: Any, move: Any):
    accept(report(1))
    move("fingerprint", lambda _: Drop("crawler"))
    assert end(shell) == (
        "fingerprint dropped it; so far it dropped, in this partition, 1 fingerprint: crawler"
    )
    never = shell("inspect", f"{2:032x}")
    assert never.returncode == 1
    assert "There is no trace of it" in never.stdout
    assert "in the spool of an ingest process, or have been refused" in never.stdout


def test_the_second_copy_is_said_to_be_a_duplicate(shell: Shell, accept: Any, move: Any):
    for stage, answer in (("fingerprint", named), ("dedupe", once), ("count", counted)):
        accept(report())
        move(stage, answer)
    assert "every further copy is a duplicate" in shell("inspect", report().id).stdout


def test_a_sample_names_its_issue_long_after(shell: Shell, mongo: Any):
    for identity in (report().id, f"{report().id}@2"):
        mongo.samples.insert_one({"_id": identity, "project": "1", "issue": ISSUE})
    shown = shell("inspect", "0" * 8 + "-0000-0000-0000-" + "0" * 11 + "1")
    assert shown.returncode == 0
    assert f"It is stored whole, as a sample of the issue {ISSUE}." in shown.stdout
    assert len(inspected(shell)["samples"]) == 2
    shell.settings["CATCHWATER_MONGO_URL"] = f"mongodb://127.0.0.1:{free_port()}"
    assert inspected(shell)["samples"] is None
    assert "MongoDB does not answer" in shell("inspect", report().id).stdout


@pytest.mark.parametrize("wrong", ["", "x", "0" * 31, "g" * 32])
def test_what_is_no_event_id_is_refused(shell: Shell, wrong: str):
    found = shell("inspect", "--", wrong)
    assert found.returncode == 2
    assert "32 hex digits are needed" in found.stderr


def test_inspecting_changes_nothing(shell: Shell, accept: Any, reject: Any):
    reject(report(1))
    accept(report(2))
    before = everything(shell)
    inspected(shell, 1), inspected(shell, 2), shell("tail", "raw", "--once")
    assert everything(shell) == before


def everything(shell: Shell) -> dict[bytes, bytes]:
    connection = Connection(shell.redis_url)
    names = sorted(connection.call("KEYS", "*"))
    dumped = connection.calls([("DUMP", name) for name in names])
    connection.close()
    return dict(zip(names, dumped, strict=True))


def test_the_last_entries_of_a_stream_are_shown(shell: Shell, accept: Any):
    connection = Connection(shell.redis_url)
    for number in range(5):
        accept(report(number))
        at = connection.call("TIME")
        wait_until(lambda at=at: _ms(connection.call("TIME")) > _ms(at), "it is later")
    connection.close()
    shown = shell("tail", "raw", "-n", "3", "--once")
    assert shown.returncode == 0
    assert [line.split()[2] for line in shown.stdout.splitlines()] == [
        f"{number:032x}" for number in (2, 3, 4)
    ]
    assert shell("tail", "raw", "-n", "0", "--once").stdout == ""


def _ms(time: list[bytes]) -> int:
    """Of one millisecond, entries of two partitions are in no order."""
    return int(time[0]) * 1000 + int(time[1]) // 1000


def test_a_hostile_event_does_not_move_the_cursor(shell: Shell, accept: Any):
    body = json.dumps({"message": "\x1b[2J\u202egnp\nx"}, ensure_ascii=False).encode()
    accept(Event("a" * 32, "1", 0, "snippet", body + b"\x9b\r\xff"))
    for more in ((), ("--json",)):
        (line,) = shell("tail", "raw", "--once", *more).stdout.splitlines()
        assert not set(line) & set("\x1b\u202e\x9b\r")
        assert ("\\u001b" in line, "\\u202e" in line) == (True, True)


def test_an_entry_that_is_no_event_and_a_dead_letter_are_shown(shell: Shell, reject: Any):
    connection = Connection(shell.redis_url)
    connection.call("XADD", keys.stream("p0", "raw"), "*", "x", "y")
    connection.close()
    assert "no event: {'x': 'y'}" in shell("tail", "raw", "--once").stdout
    reject(report(3))
    assert "fingerprint: it is purple" in shell("tail", "dead", "--once").stdout


def test_an_unknown_stream_is_refused_with_a_suggestion(shell: Shell):
    found = shell("tail", "namd")
    assert found.returncode == 2
    assert "did you mean 'named'?" in found.stderr


@contextmanager
def tailing(shell: Shell, *arguments: str) -> Iterator[Any]:
    out = shell.folder / "tail.out"
    with out.open("wb") as written:
        process = subprocess.Popen(
            command("tail", *arguments),
            cwd=shell.folder,
            env=shell._environment() | {"PYTHONUNBUFFERED": "1"},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        yield out.read_text
    finally:
        process.terminate()
        process.wait(30)


def test_what_comes_is_shown_and_what_came_too_fast_is_counted(shell: Shell, accept: Any):
    accept(report(1))
    with tailing(shell, "raw") as read:
        wait_until(lambda: report(1).id in read(), "the first is shown", timeout=60)
        wait_until(lambda: "(waiting for more; Ctrl-C ends it)" in read(), "it says so", timeout=60)
        accept(report(2))
        wait_until(lambda: report(2).id in read(), "it is shown as it comes", timeout=60)
        connection = Connection(shell.redis_url)
        flat = [part for item in encode(report(4)).items() for part in item]
        connection.calls([("XADD", keys.stream("p0", "raw"), "*", *flat)] * 400)
        connection.close()
        wait_until(lambda: "more passed)" in read(), "there were too many", timeout=60)
        accept(report(5))
        wait_until(lambda: report(5).id in read(), "it goes on", timeout=60)
    shown = len(re.findall(report(4).id, read()))
    unseen = sum(int(one) for one in re.findall(r"\((\d+) more passed\)", read()))
    assert shown + unseen == 400


def test_a_rejected_event_that_was_counted_is_both(shell: Shell, accept: Any, move: Any):
    accept(report())
    for stage, answer in (("fingerprint", named), ("dedupe", once), ("count", counted)):
        move(stage, answer)
    move("sink", lambda _: Reject("MongoDB refuses it"))
    said = " ".join(inspected(shell)["conclusions"])
    assert "sink rejected it" in said
    assert f"It is counted in the issue {ISSUE}" in said
