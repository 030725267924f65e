"""Partitions are doubled while events flow: nothing is lost, and nothing is counted twice."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from itertools import count

import pytest

from catchwater.errors import (
    CatchwaterError,
    GrownError,
    NotReplicatedError,
    RefusedError,
    UnavailableError,
)
from catchwater.redis_client import Connection
from catchwater.streams import counters, growing, keys
from catchwater.streams.growing import Growth
from tests.growth.partitions import MONTH
from tests.servers.chosen import not_on_a_cluster
from tests.streams.committed import bodies
from tests.waiting import wait_until


class KilledError(Exception):
    """The process is gone."""


class Dying(Connection):
    """It does so many round trips. The next one is its last: nobody hears of it."""

    def __init__(self, url, left, *, is_sent):
        super().__init__(url)
        self.left, self.is_sent = left, is_sent

    def _run(self, do, what):
        self.left -= 1
        if self.left < 0 and not self.is_sent:
            raise KilledError
        replies = super()._run(do, what)
        if self.left < 0:
            raise KilledError
        return replies


def grow(one, **more):
    return [*Growth(one.connection, one.defs, **more).steps()]


def marking(one):
    return next(name for name, stage in one.defs.stages.items() if stage.once_for)


def assert_exact(one, event, numbers):
    """Whatever is sent again is a duplicate, and each number is counted once."""
    one.drain()
    one.add("raw", *map(event, numbers))
    one.drain()
    audit = one.audit
    assert (audit.counted, one.stored()) == (len(numbers), len(numbers))
    assert audit.duplicates == audit.accepted - len(numbers)
    assert (audit.missing, audit.depth, audit.dead) == (0, 0, 0)


def inherit(one, stage, entries):
    """Work on what a process has that does not come back."""
    heir = one.use(stage, "heir")
    beginning = [b"0-0"] * one.defs.partitions

    def has_all():
        heir.claim_abandoned(beginning)
        return len(heir.pending()) == entries

    wait_until(has_all, "all is claimed", 60)
    heir.commit(one.answers(heir, heir.deliver(heir.pending()).entries))


def test_what_was_met_before_is_a_duplicate_afterwards(of, event):
    before, after = of(8), of(16)
    before.add("raw", *map(event, range(100)))
    before.drain()
    steps = grow(after)
    assert [one.step for one in steps] == ["fenced", *["copied"] * 8, "grown"]
    assert sum(one.keys for one in steps) > 50
    after.add("raw", *map(event, range(100, 150)))
    assert_exact(after, event, range(150))


def test_they_grow_again_and_by_more(of, event):
    numbers = 0
    for partitions in (8, 16, 64):
        one = of(partitions)
        if partitions > 8:
            grow(one)
        one.add("raw", *map(event, range(numbers, numbers + 50)))
        one.drain()
        numbers += 50
        assert_exact(one, event, range(numbers))


def test_nothing_is_left_to_do_the_second_time(of):
    of(8).drain()
    grow(of(16))
    assert grow(of(16)) == []


@pytest.mark.parametrize("is_sent", [False, True], ids=["before", "after"])
def test_it_is_exact_whatever_it_is_killed_at(of, event, is_sent):
    """Old ones go on and are frozen, ingest of either number adds, and events are sent again."""
    before, after = of(8), of(16)
    before.add("raw", *map(event, range(60)))
    before.drain()
    sent = 60
    for left in count():
        try:
            [*Growth(Dying(after.url, left, is_sent=is_sent), after.defs).steps()]
            break
        except KilledError:
            before.add("raw", event(sent), event(sent // 2))
            after.add("raw", event(sent + 1), event(sent // 3))
            sent += 2
        for one in (before, after):
            with suppress(RefusedError, UnavailableError):
                one.drain()
    assert left > 30
    assert_exact(after, event, range(sent))


def test_what_a_frozen_process_has_is_counted_once(of, event):
    before, after = of(8), of(16)
    before.add("raw", *map(event, range(40)))
    for stage in [] if marking(before) == "count" else ["name"]:
        before.turn(stage)
    frozen = before.use(marking(before), "frozen")
    answered = before.answers(frozen, frozen.read())
    grow(after)
    after.add("raw", *map(event, range(40)))
    after.drain()
    with pytest.raises(GrownError):
        frozen.commit(answered)
    inherit(after, marking(after), len(answered))
    assert_exact(after, event, range(40))


def copy_database(one, source, target):
    names = one.connection.calls([("SELECT", source), ("KEYS", "*")])[1]
    copies = [("COPY", name, name, "DB", target) for name in names]
    one.connection.calls([("SELECT", target), ("FLUSHDB",), ("SELECT", source), *copies])
    one.connection.call("SELECT", 0)


def parts(one):
    """What MongoDB has got: of each part's count the highest."""
    found = Counter()
    for body in bodies(one):
        for sent in body["buckets"]:
            name = (body["tag"], body["life"], sent["name"], sent["generation"])
            found |= Counter({name: sent["values"][counters.events_field("1:v1:a")]})
    return Counter({name: n for name, n in found.items() if len(name[2]) == MONTH})


@not_on_a_cluster("it plays a fall-back by copying databases, and a cluster has one")
def test_what_a_fall_back_undoes_is_counted_again_under_the_names_that_it_had(of, event):
    """Redis falls back to where the partitions were fenced, when new ones have counted already."""
    before, after = of(8), of(16)
    before.add("raw", *map(event, range(60)))
    before.drain()
    before.add("raw", *map(event, range(60, 120)))
    steps = Growth(after.connection, after.defs).steps()
    next(steps)
    copy_database(after, 0, 1)
    list(steps)
    after.drain()
    stored = parts(after)
    copy_database(after, 1, 0)
    grow(after)
    after.drain()
    assert (stored | parts(after)).total() == 120


@pytest.mark.parametrize("done", [0, 1, 2, 6, 9])
def test_two_at_once_are_harmless(of, event, done):
    """One is frozen after a step, and comes back when the other is done and events have flowed."""
    before, after = of(8), of(16)
    before.add("raw", *map(event, range(60)))
    before.drain()
    frozen = Growth(after.connection, after.defs).steps()
    for _ in range(done):
        next(frozen, None)
    grow(after)
    after.add("raw", *map(event, range(60, 120)))
    after.drain()
    with suppress(UnavailableError):
        list(frozen)
    assert_exact(after, event, range(120))


def test_whoever_is_late_does_not_shut_out_those_who_know_more(of, event):
    of(8).drain()
    late, at_its_end = (Growth(of(16).connection, of(16).defs).steps() for _ in range(2))
    assert [next(at_its_end).step for _ in range(9)][-1] == "copied"
    grow(of(16))
    grow(of(64))
    for each in (late, at_its_end):
        with pytest.raises(UnavailableError, match="was faster"):
            next(each)
    fences = [([keys.fence(tag)], [16]) for tag in of(16).defs.tags]
    assert of(64).connection.scripts(growing.FENCE, fences) == [64] * 16
    of(64).add("raw", *map(event, range(40)))
    assert_exact(of(64), event, range(40))


def starts(one):
    """What keeps a process from starting; '' when nothing does."""
    try:
        one.use("sink")
    except CatchwaterError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def test_who_starts_while_they_grow(of):
    before, after = of(8), of(16)
    before.drain()
    assert "RefusedError" in starts(after)
    assert "16 in streamdefs.yaml but 8 in Redis: run `catchwater partitions grow`" in starts(after)
    steps = Growth(after.connection, after.defs).steps()
    next(steps)
    assert "GrowingError" in starts(after), "it waits"
    assert "its partitions grow" in starts(after)
    assert "RefusedError" in starts(before)
    assert "about to be 16: set it to 16" in starts(before)
    with pytest.raises(RefusedError, match="about to be 16"):
        grow(of(32))
    list(steps)
    assert starts(after) == ""
    assert "but 16 in Redis, which can grow to 32 or 64 or 128 or 256" in starts(before)
    with pytest.raises(RefusedError, match="Set it to 16"):
        grow(before)


@pytest.mark.parametrize(("there", "wanted"), [(2, 4), (8, 24), (8, 12), (16, 8)])
def test_nothing_but_doubling_is_possible(of, there, wanted):
    of(there).drain()
    with pytest.raises(RefusedError, match=f"partitions is {wanted} in .* but {there} in Redis"):
        grow(of(wanted))


def test_without_data_there_is_nothing_to_grow(of):
    with pytest.raises(RefusedError, match="no data of a pipeline"):
        grow(of(16))


def test_a_pipeline_that_is_another_one_is_refused(of, event):
    """It would look for the marks of stages that there are not."""
    of(8).drain()
    of(8).connection.call("HSET", keys.META, "once_for:other", "1h")
    with pytest.raises(RefusedError, match=r"stages\.other\.once_for is nothing"):
        grow(of(16))


@not_on_a_cluster("its numbers are those of one node: several share the copies")
def test_copies_that_fill_redis_are_refused(of, event):
    before, after = of(8), of(16)
    before.add("raw", *map(event, range(60)))
    before.drain()
    window = min(after.connection.call("KEYS", "cw:*:marks:*"), key=len)
    after.connection.call("HINCRBY", window, "marks", 10**8)
    after.connection.call("CONFIG SET", "maxmemory", 2 * 10**9)
    try:
        with pytest.raises(RefusedError, match=r"need 2,000 MB more for 1 copies .* --force"):
            Growth(after.connection, after.defs).check_memory()
        after.connection.call("CONFIG SET", "maxmemory", 3 * 10**9)
        Growth(after.connection, after.defs).check_memory()
    finally:
        after.connection.call("CONFIG SET", "maxmemory", 0)


def test_a_step_that_no_replica_has_is_not_followed_by_the_next(of, event):
    """Here there is no replica, so not even that it grows is said for sure."""
    before, after = of(8), of(16)
    before.drain()
    with pytest.raises(NotReplicatedError, match="0 of 1 replicas"):
        grow(after, replicas=1)
    fences = [("GET", keys.fence(tag)) for tag in before.defs.tags]
    assert set(after.connection.calls(fences)) == {None}
    grow(after)


def test_what_moves_is_not_acknowledged_before_the_replicas_have_it(of, event):
    before, after = of(8), of(16)
    before.drain()
    grow(after)
    before.add("raw", *map(event, range(40)))
    for stage in [] if marking(before) == "count" else ["name"]:
        after.turn(stage)
    after.connection.call("HSET", keys.META, "wait_replicas", 1)
    stage = marking(after)
    with after.loop(stage, after.work(stage)) as loop:
        wait_until(lambda: "0 of 1 replicas" in loop.not_ready_reason, "it waits for one", 60)
        assert "moved" not in outcomes(after, stage)
        after.connection.call("HSET", keys.META, "wait_replicas", 0)
        wait_until(lambda: after.depth(stage) == 0, "it goes on", 60)
    assert "moved" in outcomes(after, stage)
    assert_exact(after, event, range(40))


def outcomes(one, stage):
    ledgers = one.connection.calls([("HKEYS", keys.ledger(tag)) for tag in one.defs.tags])
    names = {name.decode() for ledger in ledgers for name in ledger}
    return {name.removeprefix(f"{stage}:") for name in names if name.startswith(stage)}


def test_a_stage_waits_until_they_have_grown(of, event):
    before, after = of(8), of(16)
    before.drain()
    after.add("raw", *map(event, range(40)))
    steps = Growth(after.connection, after.defs).steps()
    next(steps)
    first = next(iter(after.defs.stages))
    with after.loop(first, after.work(first)) as loop:
        wait_until(lambda: "its partitions grow" in loop.not_ready_reason, "it waits", 60)
        assert outcomes(after, first) == outcomes(before, first)
        list(steps)
        wait_until(lambda: after.depth(first) == 0, "it works", 60)
    assert_exact(after, event, range(40))
