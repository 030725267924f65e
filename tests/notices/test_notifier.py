"""The sink writes, the notifier tells: on a real MongoDB, to a real server, by the test's clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from catchwater.issues import states
from catchwater.issues.store import IssueStore
from sink.notices import notifier as notifiers
from tests.issues.conftest import NOW, Seen
from tests.notices.conftest import LEASE, People
from tests.notices.receiver import Receiver

A, B = "1:v1:a", "1:v1:b"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def test_a_new_issue_is_told_once(seen: Seen, people: People, receiver: Receiver):
    seen(A, 3, users=("u",))
    for minute in range(3):
        people.turn(minute * MINUTE)
        seen(A, hours=-1)
    (got,) = receiver.got
    assert got.json["title"] == "New issue in Tea shop: TypeError: x is undefined"
    assert (got.json["issue"], got.json["count"], got.json["users"]) == (A, 3, 1)
    assert got.json["url"] == f"https://errors.example/issues/{A}"
    assert "untold" not in seen.issue(A)


def test_issues_from_before_anybody_wanted_to_be_told_are_not(
    seen: Seen, people: People, receiver: Receiver
):
    seen(A, days=40)
    seen("2:v1:a")
    people.turn()
    assert receiver.got == []
    assert seen.database.issues.count_documents({"untold": {"$exists": True}}) == 0


def test_regressions_and_ends_of_ignoring_are_told(
    seen: Seen, people: People, receiver: Receiver, mongo_url: str
):
    seen(A, release="1.0", hours=2)
    seen(B, hours=2)
    people.turn()
    store = IssueStore(mongo_url)
    store.set_state(store.named([A]), lambda _: states.resolved(NOW - HOUR))
    until = states.Until(events=2)
    store.set_state(store.named([B]), lambda one: states.ignored(NOW - HOUR, until, one))
    store.close()
    seen(A, release="1.1")
    seen(B, 2)
    people.turn(MINUTE)
    people.turn(2 * MINUTE)
    assert sorted(receiver.kinds) == ["escalating", "new", "new", "regression"]
    regression = next(one.json for one in receiver.got if one.json["kind"] == "regression")
    assert "- first seen in: `1.1`" in regression["text"]


def test_a_storm_is_told_as_one(seen: Seen, people: People, receiver: Receiver):
    people.notices["gather"] = "10s"
    for number in range(37):
        seen(f"1:v1:{number:02}")
    people.turn()
    assert receiver.got == [], "they wait for each other"
    people.turn(MINUTE)
    people.turn(2 * MINUTE)
    (got,) = receiver.got
    assert got.json["title"] == f"37 new issues in Tea shop since {NOW:%H:%M} UTC"
    assert (len(got.json["issues"]), got.json["text"].count("\n")) == (37, 11)
    assert people.states() == {"grouped": 37, "sent": 1}


def test_what_is_over_the_hourly_cap_is_told_later_as_one(
    seen: Seen, people: People, receiver: Receiver
):
    people.channel |= {"per_hour": 3, "group_from": 100}
    for number in range(8):
        seen(f"1:v1:{number}")
        people.turn(number * timedelta(seconds=1))
    assert receiver.kinds == ["new"] * 3
    people.turn(59 * MINUTE)
    assert len(receiver.got) == 3
    people.turn(62 * MINUTE)
    assert receiver.kinds == ["new"] * 3 + ["many"]
    assert len(receiver.got[-1].json["issues"]) == 5


def test_nobody_is_told_in_quiet_hours_and_all_is_told_after(
    seen: Seen, people: People, receiver: Receiver
):
    begin, end = NOW - HOUR, NOW + HOUR
    people.notices["quiet"] = f"{begin:%H:%M}-{end:%H:%M}"
    seen(A)
    people.turn()
    people.turn(58 * MINUTE)
    assert receiver.got == []
    people.turn(62 * MINUTE)
    assert receiver.kinds == ["new"]


def test_a_channel_is_told_what_it_wants(seen: Seen, people: People, receiver: Receiver):
    for wanted in ({"levels": ["fatal"]}, {"environments": ["production"]}, {"kinds": ["spike"]}):
        people.channel = {"kinds": ["new"], **wanted}
        seen(A)
        people.turn()
        assert receiver.got == []
        seen.database.issues.delete_many({})
    people.channel = {"levels": ["error"], "tags": {"release": "1.0"}}
    seen(A, release="1.0")
    people.turn()
    assert receiver.kinds == ["new"]


def test_after_a_notice_of_an_issue_the_next_of_its_kind_waits(
    seen: Seen, people: People, receiver: Receiver, mongo_url: str
):
    people.notices["cooldown"] = "2h"
    seen(A, hours=3)
    people.turn()
    store = IssueStore(mongo_url)
    for minutes in (30, 10):
        resolved = states.resolved(NOW - (minutes + 1) * MINUTE)
        store.set_state(store.named([A]), lambda _, fields=resolved: fields)
        seen(A, minutes=minutes)
        people.turn()
    store.close()
    assert receiver.kinds == ["new", "regression"]
    people.turn(2 * HOUR)
    assert receiver.kinds == ["new", "regression", "regression"]


def test_a_receiver_that_is_away_is_told_again_by_the_same_key(
    seen: Seen, people: People, receiver: Receiver
):
    receiver.status = 503
    seen(A)
    for hours in range(3):
        people.turn(hours * HOUR)
    assert people.states() == {"waiting": 1}
    receiver.status = 204
    people.turn(5 * HOUR)
    people.turn(6 * HOUR)
    assert len(receiver.got) == 4
    assert len({one.headers["Idempotency-Key"] for one in receiver.got}) == 1
    assert people.states() == {"sent": 1}


@pytest.mark.parametrize("status", [400, 404, 410, 301])
def test_one_that_refuses_is_not_asked_again(
    seen: Seen, people: People, receiver: Receiver, status: int
):
    receiver.status, receiver.location = status, receiver.url
    seen(A)
    people.turn()
    people.turn(5 * HOUR)
    assert (len(receiver.got), people.states()) == (1, {"failed": 1})


class Killed(BaseException):
    """What a process that dies does: nothing more."""


STEPS = ["store.add", "store.told", "store.claim", "send", "store.finish"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_death_at_any_step_loses_nothing_and_only_one_tells_twice(
    seen: Seen,
    people: People,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    done: bool,  # noqa: FBT001 - a parameter of the test
):
    seen(A)
    with monkeypatch.context() as patched:
        owner = people.store if step.startswith("store.") else notifiers
        name = step.removeprefix("store.")
        original = getattr(owner, name)

        def dying(*arguments: object, **more: object) -> None:
            if done:
                original(*arguments, **more)
            raise Killed

        patched.setattr(owner, name, dying)
        with pytest.raises(Killed):
            people.turn()
    people.turn(timedelta(seconds=1))
    people.turn(LEASE + MINUTE)
    people.turn(LEASE + 2 * MINUTE)
    sent_but_not_marked = (step, done) in {("send", True), ("store.finish", False)}
    assert receiver.kinds == ["new"] * (2 if sent_but_not_marked else 1)
    assert people.states() == {"sent": 1}


def test_a_group_that_was_cut_short_is_completed(
    seen: Seen, people: People, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    for number in range(9):
        seen(f"1:v1:{number}")
    with monkeypatch.context() as patched:

        def dying(_at: object) -> None:
            if people.states().get("grouping"):
                raise Killed

        patched.setattr(people.store, "complete_groups", dying)
        with pytest.raises(Killed):
            people.turn()
    people.turn(MINUTE)
    assert receiver.kinds == ["many"]
    assert people.states() == {"grouped": 9, "sent": 1}


def test_a_digest_comes_once_a_day_with_what_is_unresolved(
    seen: Seen, people: People, receiver: Receiver
):
    people.channel["kinds"] = ["digest"]
    people.notices["digest"] = f"{NOW + HOUR:%H:%M}"
    midnight = (NOW + timedelta(days=2)).replace(hour=0, minute=0)
    due = midnight.replace(hour=(NOW + HOUR).hour, minute=NOW.minute)
    seen(A, 5, hours=(NOW - due).total_seconds() / 3600 + 1)
    for at in (due - MINUTE, due, due + MINUTE, due + 5 * MINUTE):
        people.turn(at - NOW)
    (got,) = receiver.got
    assert got.json["title"].startswith("1 unresolved issue in Tea shop since")
