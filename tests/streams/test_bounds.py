"""What Redis keeps of events that are done is small and bounded, and stays exact beyond the bound:
marks of dedupe, issues of a project, values of tags.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

import orjson
import pytest

from catchwater.answers import Emit, Tally
from catchwater.event import decode
from catchwater.streams import commit, counters, keys
from sink.fold import Writes, fold

MONTH = "202511"


@pytest.fixture
def bounded(pipeline):
    """The pipeline, with at most three issues of a project in each partition."""
    stages = dict(pipeline.defs.stages)
    stages["count"] = stages["count"].model_copy(update={"issues": 3})
    pipeline.defs = pipeline.defs.model_copy(update={"stages": stages})
    return pipeline


def in_one_partition(pipeline, event, count, **about):
    numbers = [n for n in range(count * 4) if pipeline.defs.partition_of(f"{n:032x}") == 0]
    return [event(n, **about) for n in numbers[:count]]


def run_count(pipeline):
    consumer = pipeline.consumer("count")
    while batch := consumer.read():
        consumer.commit(
            [
                (entry, Emit(decode(entry.fields), tally=Tally(**decode(entry.fields).facts)))
                for entry in batch
            ]
        )


def counted(pipeline):
    """What the sink would write: how many events each issue has, and the writes themselves."""
    writes = Writes()
    for fields in pipeline.inside("counted"):
        fold(writes, decode(fields))
    events = {
        issue: sum(n for path, n in update.highest.items() if path.startswith("parts."))
        for issue, update in writes.issues.items()
    }
    return events, writes


# Issues -----------------------------------------------------------------------------------------


def test_events_of_issues_too_many_are_counted_exactly_under_one_other(bounded, event):
    for number, one in enumerate(in_one_partition(bounded, event, 12)):
        facts = {**one.facts, "issue": f"1:v1:{number % 6}", "n": 5}
        bounded.add("unique", dataclasses.replace(one, facts=facts))
    run_count(bounded)
    events, writes = counted(bounded)
    assert events == {"1:v1:0": 2, "1:v1:1": 2, "1:v1:2": 2, "1:other": 6}
    more = writes.issues["1:other"].highest
    assert sum(n for path, n in more.items() if path.startswith("more.")) == 6 * 4
    assert writes.issues["1:other"].on_insert["type"] == "Other errors"
    hours = {key for key in writes.hours if key.startswith("1:other:")}
    assert len(hours) == 1
    assert {sample["issue"] for sample in writes.samples.values()} <= {
        f"1:v1:{n}" for n in range(3)
    }


def test_an_issue_that_is_known_goes_on_when_there_is_no_room_for_others(bounded, event):
    one, *others = in_one_partition(bounded, event, 8)
    bounded.add("unique", one)
    for number, other in enumerate(others):
        facts = {**other.facts, "issue": f"1:v1:x{number}"}
        bounded.add("unique", dataclasses.replace(other, facts=facts))
    bounded.add("unique", one, one)
    run_count(bounded)
    assert counted(bounded)[0]["1:v1:a"] == 3


def test_one_project_with_too_many_issues_leaves_the_room_of_the_next(bounded, event):
    for number, one in enumerate(in_one_partition(bounded, event, 10)):
        project = "1" if number < 8 else "2"
        facts = {**one.facts, "issue": f"{project}:v1:{number}"}
        bounded.add("unique", dataclasses.replace(one, project=project, facts=facts))
    run_count(bounded)
    events, _ = counted(bounded)
    assert events["1:other"] == 5
    assert {issue for issue in events if issue.startswith("2:")} == {"2:v1:8", "2:v1:9"}


def test_an_issue_that_is_called_other_itself_is_counted(bounded, event):
    bounded.add("unique", *in_one_partition(bounded, event, 5, issue="1:other"))
    run_count(bounded)
    assert counted(bounded)[0] == {"1:other": 5}


def test_it_and_issues_too_many_are_counted_together(bounded, event):
    """Both have the same key: each of two counters began at what was there before both."""
    names = ("v1:0", "v1:1", "v1:2", "other", "v1:4", "other", "v1:6")
    events = in_one_partition(bounded, event, len(names))
    for name, one in zip(names, events, strict=True):
        facts = {**one.facts, "issue": f"1:{name}"}
        bounded.add("unique", dataclasses.replace(one, facts=facts))
        if name == "v1:2":  # from now on there is no room
            run_count(bounded)
    run_count(bounded)
    assert counted(bounded)[0]["1:other"] == 4


@pytest.mark.parametrize(("bucket", "least_s"), [(f"{MONTH}2312", 6 * 3600), (MONTH, 40 * 86_400)])
def test_counters_live_for_their_time_after_their_last_change(pipeline, event, bucket, least_s):
    """Or a fall-back of Redis within that time could count an event under two generations."""
    key, call = keys.tally(pipeline.defs.tags[0], bucket, "1:v1:a"), pipeline.connection.call
    (one,) = in_one_partition(pipeline, event, 1)
    pipeline.add("unique", one)
    run_count(pipeline)
    generation, _, expires = call("HGET", key, "_part").decode().partition(" ")
    assert abs(int(expires) - int(call("EXPIRETIME", key))) <= 1
    soon = int(call("TIME")[0]) + least_s - 1
    call("HSET", key, "_part", f"{generation} {soon}")
    call("EXPIREAT", key, soon)
    pipeline.add("unique", one)
    run_count(pipeline)
    assert call("TTL", key) >= least_s
    assert call("HGET", key, "_part").decode().partition(" ")[0] == generation
    assert call("TTL", keys.sizes(pipeline.defs.tags[0], MONTH)) > 40 * 86_400


# Tags -------------------------------------------------------------------------------------------


def test_the_values_of_a_projects_tags_are_bounded_together(bounded, event):
    """Three issues may have 60 values: 4 tags of 10 values in each would be 120."""
    for number, one in enumerate(in_one_partition(bounded, event, 30)):
        tags = {f"tag-{t}": f"{number // 3}" for t in range(4)}
        facts = {**one.facts, "issue": f"1:v1:{number % 3}", "tags": tags}
        bounded.add("unique", dataclasses.replace(one, facts=facts))
    run_count(bounded)
    _, writes = counted(bounded)
    paths = Counter(
        {
            (key, path): n
            for key, update in writes.tags.items()
            for path, n in update.highest.items()
        }
    )
    apart = [path for _, path in paths if "(other)" not in path]
    assert len(apart) == 3 * counters.VALUES_PER_ISSUE
    assert sum(paths.values()) == 30 * 4


def test_a_long_value_of_a_tag_is_short_in_redis_and_whole_in_mongodb(pipeline, event):
    long = "https://shop.example/" + "x" * 150
    pipeline.add("unique", *in_one_partition(pipeline, event, 3, tags={"page": long, long: "y"}))
    run_count(pipeline)
    key = keys.tally(pipeline.defs.tags[0], MONTH, "1:v1:a")
    fields = pipeline.connection.call("HKEYS", key)
    assert max(map(len, fields)) <= 80
    (update,) = counted(pipeline)[1].tags.values()
    escaped = counters.escape_key(long)
    assert {path.rpartition(".")[0] for path in update.highest} == {
        f"values.page.{escaped}",
        f"values.{escaped}.y",
    }
    assert set(update.highest.values()) == {3}


def test_an_ordinary_issue_stays_packed_in_redis(pipeline, event):
    for number, one in enumerate(in_one_partition(pipeline, event, 40)):
        tags = {"browser": f"Chrome {number}", "page": "https://shop.example/" + "a" * number}
        pipeline.add("unique", dataclasses.replace(one, facts={**one.facts, "tags": tags}))
    run_count(pipeline)
    key = keys.tally(pipeline.defs.tags[0], MONTH, "1:v1:a")
    assert pipeline.connection.call("OBJECT ENCODING", key) in (b"listpack", b"ziplist")


# Marks ------------------------------------------------------------------------------------------


HALF_MS = 30_000
"""Half of the stage's once_for, in milliseconds: the length of a window."""


def number_of(event):
    return int(event.id, 16)


def emit_once(pipeline, event, numbers):
    """Send an event for each number; returns how many were emitted and how many duplicates."""
    pipeline.add("named", *[event(n) for n in numbers])
    consumer = pipeline.consumer("dedupe")
    totals = Counter()
    while batch := consumer.read():
        answers = [
            (entry, Emit(decode(entry.fields), once=decode(entry.fields).id)) for entry in batch
        ]
        done = consumer.commit(answers)
        totals.update(emitted=done.emitted, duplicate=done.duplicate)
    return totals


def test_marks_are_few_bytes_in_packed_hashes(pipeline, event):
    assert emit_once(pipeline, event, range(600)) == {"emitted": 600, "duplicate": 0}
    assert emit_once(pipeline, event, range(700)) == {"emitted": 100, "duplicate": 600}
    tag = pipeline.defs.tags[0]
    slots = pipeline.connection.call("KEYS", f"cw:{{{tag}}}:marks:dedupe:*:*:*")
    assert len(slots) > 32
    for slot in slots:
        assert pipeline.connection.call("OBJECT ENCODING", slot) in (b"listpack", b"ziplist")
        assert {len(mark) for mark in pipeline.connection.call("HKEYS", slot)} == {9}
        assert pipeline.connection.call("TTL", slot) > 0


def test_a_window_begins_with_the_slots_that_the_fullest_one_near_it_needs(pipeline, event):
    """And marks of the windows near it are found in all of their layers."""
    tag, call = pipeline.defs.tags[0], pipeline.connection.call
    one, *others = in_one_partition(pipeline, event, 3)
    window = int(call("TIME")[0]) * 1000 // HALF_MS
    before = keys.marks(tag, "dedupe", window - 1)
    call("HSET", before, "slots", "[100,400]", "marks", 48_000)
    call("EXPIRE", before, 90)
    assert emit_once(pipeline, event, [number_of(one)]) == {"emitted": 1, "duplicate": 0}
    created = [call("HGET", keys.marks(tag, "dedupe", window + step), "slots") for step in (0, 1)]
    assert [slots for slots in created if slots] == [b"[500]"]
    for layer, (other, size) in enumerate(zip(others, (100, 400), strict=True), 1):
        digest = commit.mark_digest(other.id)
        slot = f"{before}:{layer}:{int.from_bytes(digest[:3], 'big') % size}"
        call("HSET", slot, digest[3:], "")
        call("EXPIRE", slot, 90)
        assert emit_once(pipeline, event, [number_of(other)]) == {"emitted": 0, "duplicate": 1}


def test_a_window_that_is_full_grows_and_remembers_what_it_had(pipeline, event):
    """64 slots of 96 marks are full; then further ones go to a second layer of 256 slots."""
    tag, call = pipeline.defs.tags[0], pipeline.connection.call
    first, second, third = [number_of(one) for one in in_one_partition(pipeline, event, 3)]
    assert emit_once(pipeline, event, [first]) == {"emitted": 1, "duplicate": 0}
    (window,) = [
        key for key in call("KEYS", f"cw:{{{tag}}}:marks:dedupe:*") if call("HEXISTS", key, "slots")
    ]
    call("HSET", window, "marks", 64 * 96)
    assert emit_once(pipeline, event, [second, first]) == {"emitted": 1, "duplicate": 1}
    assert emit_once(pipeline, event, [first, second]) == {"emitted": 0, "duplicate": 2}
    assert call("HGET", window, "slots") == b"[64,256]"
    assert emit_once(pipeline, event, [third]) == {"emitted": 1, "duplicate": 0}


def test_the_plan_of_a_commit_names_each_issue_once(pipeline, event):
    """So a batch of one issue is a small script call."""
    plan = commit.CommitPlan(pipeline.defs, "count", pipeline.defs.tags[0])
    for n in range(50):
        one = event(n)
        entry = commit.Entry(0, f"{n}-1", {})
        plan.add(entry, Emit(one, tally=Tally(**one.facts)))
    arguments = orjson.loads(plan.args()[0])
    assert [row["issue"] for row in arguments["issues"]] == ["1:other", "1:v1:a"]
    assert len(arguments["counters"]) == 4
