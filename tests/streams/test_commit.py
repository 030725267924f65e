"""The gated commit on a real Redis: what each answer does, once, whoever commits."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from catchwater.answers import Drop, Emit, Reject
from catchwater.errors import MissingEpochError
from catchwater.event import decode
from catchwater.monitoring.snapshot import take
from catchwater.streams import keys
from catchwater.streams.commit import CommitTotals
from catchwater.streams.hyperloglog import register
from tests.streams.committed import bodies, emitted, highest_values, tallied, values


def test_an_emitted_event_goes_on_byte_for_byte(pipeline, event):
    pipeline.add("raw", event(1))
    consumer = pipeline.consumer("name")
    consumer.commit(emitted(consumer.read()))
    assert [decode(fields) for fields in pipeline.inside("named")] == [event(1)]


def test_a_changed_event_goes_on_as_the_stage_left_it(pipeline, event):
    pipeline.add("raw", event(1))
    consumer = pipeline.consumer("name")
    changed = event(1).with_(kind="other", facts={"a": 1}, body=b'{"b":"\\u0000"}')
    consumer.commit([(entry, Emit(changed)) for entry in consumer.read()])
    assert [decode(fields) for fields in pipeline.inside("named")] == [changed]


def test_two_commits_of_one_batch_have_one_effect(pipeline, event):
    pipeline.add("unique", *[event(n) for n in range(6)])
    consumer = pipeline.consumer("count")
    batch = consumer.read()
    first = consumer.commit(tallied(batch))
    second = pipeline.consumer("count", "zombie").commit(tallied(batch))
    assert (first.won, second.won, second.stale) == (6, 0, 6)
    assert sum(part["events\t1:v1:a"] for _, part in values(pipeline, "202511")) == 6
    ledgers = [
        pipeline.connection.call("HGET", keys.ledger(tag), "count:done")
        for tag in pipeline.defs.tags
    ]
    assert sum(int(n or 0) for n in ledgers) == 6


def test_a_mark_that_was_met_is_a_duplicate(pipeline, event):
    consumer = pipeline.consumer("name")
    pipeline.add("raw", event(1), event(1), event(2))
    totals = consumer.commit(
        [
            (entry, Emit(decode(entry.fields), once=decode(entry.fields).id))
            for entry in consumer.read()
        ]
    )
    assert (totals.emitted, totals.duplicate) == (2, 1)
    assert pipeline.ids("named") == [event(1).id, event(2).id]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "the later one first"])
def test_a_mark_is_found_in_the_neighbouring_windows_whatever_the_order(pipeline, event, order):
    """An entry's window is that of its id: two entries 45 s apart lie in different windows of a
    60 s horizon.
    """
    tag = pipeline.defs.tags[pipeline.defs.partition_of(event(1).id)]
    for at in (600_000, 645_000):
        flat = [b"id", event(1).id, b"head", b"{}", b"body", b"{}"]
        pipeline.connection.call("XADD", keys.stream(tag, "named"), f"{at}-1", *flat)
    consumer = pipeline.consumer("dedupe")
    batch = consumer.read()
    totals = [consumer.commit([(batch[i], Emit(event(1), once="same"))]) for i in order]
    assert [(one.emitted, one.duplicate) for one in totals] == [(1, 0), (0, 1)]


def test_a_mark_beyond_the_horizon_is_forgotten(pipeline, event):
    tag = pipeline.defs.tags[pipeline.defs.partition_of(event(1).id)]
    for at in (600_000, 800_000):
        pipeline.connection.call(
            "XADD",
            keys.stream(tag, "named"),
            f"{at}-1",
            "id",
            event(1).id,
            "head",
            "{}",
            "body",
            "{}",
        )
    consumer = pipeline.consumer("dedupe")
    totals = consumer.commit([(entry, Emit(event(1), once="same")) for entry in consumer.read()])
    assert (totals.emitted, totals.duplicate) == (2, 0)


def test_counters_are_absolute_and_go_on_from_batch_to_batch(pipeline, event):
    consumer = pipeline.consumer("count")
    totals = []
    for n in range(3):
        pipeline.add("unique", event(2 * n), event(2 * n, n=5))
        consumer.commit(tallied(consumer.read()))
        highest = highest_values(pipeline, "202511")
        totals.append((highest["events\t1:v1:a"], highest["more\t1:v1:a"]))
    assert totals == [(2, 4), (4, 8), (6, 12)]


def test_a_large_counter_has_all_of_its_digits(pipeline, event):
    """Lua has one kind of number, which it likes to shorten."""
    pipeline.add("unique", event(1))
    consumer = pipeline.consumer("count")
    tag = pipeline.defs.tags[pipeline.defs.partition_of(event(1).id)]
    key = keys.tally(tag, "202511", "1:v1:a")
    pipeline.connection.call("HSET", key, "_part", "1 99999999999", "events", 12_345_678_901_234)
    consumer.commit(tallied(consumer.read()))
    assert int(pipeline.connection.call("HGET", key, "events")) == 12_345_678_901_235
    assert highest_values(pipeline, "202511")["events\t1:v1:a"] == 12_345_678_901_235
    pipeline.connection.call("EXPIRE", key, 60)


def test_counters_are_written_once_for_all_events_of_a_batch(pipeline, event):
    """Redis writes each command that changes something to its append-only file."""

    def changes() -> int:
        return int(pipeline.connection.info("persistence")["rdb_changes_since_last_save"])

    def committed(count: int) -> int:
        pipeline.add("unique", *[event(1)] * count)
        batch, before = consumer.read(), changes()
        consumer.commit(tallied(batch))
        return changes() - before

    consumer = pipeline.consumer("count")
    for _ in range(10):
        committed(5)  # it has all its samples then
    few, many = committed(1), committed(5)
    assert many - few == 4  # an XACK for each entry is all


def test_first_and_last_are_those_of_the_batch_whatever_its_order(pipeline, event):
    consumer = pipeline.consumer("count")
    for order in ([5, 1, 9], [5, 9, 1]):
        pipeline.add("unique", *[event(1, received=1_763_900_000_000 + n) for n in order])
        consumer.commit(tallied(consumer.read()))
        seen = bodies(pipeline)[-1]["issues"]["1:v1:a"]
        assert (seen["first"], seen["last"]) == (1_763_900_000_001, 1_763_900_000_009)


def two_of_one_register():
    """Two users of one register: the first raises it higher."""
    users = sorted((register(f"u{n}"), f"u{n}") for n in range(3000))
    ((_, lower), second), ((_, higher), first) = next(
        (one, other)
        for one, other in pairwise(users)
        if one[0][0] == other[0][0] and one[0][1] < other[0][1]
    )
    assert lower < higher
    return first, second, higher


def test_a_register_of_users_holds_the_highest_rank_of_the_batch(pipeline, event):
    first, second, high = two_of_one_register()
    consumer = pipeline.consumer("count")
    pipeline.add("unique", event(1, user=first), event(1, user=second))
    consumer.commit(tallied(consumer.read()))
    (body,) = bodies(pipeline)
    assert list(body["issues"]["1:v1:a"]["users"].values()) == [high]


def test_every_key_expires_unless_the_key_table_says_never(pipeline, event):
    consumer = pipeline.consumer("count")
    pipeline.add("unique", *[event(n, tags={"browser": "Chrome 1"}) for n in range(4)])
    consumer.commit(tallied(consumer.read()))
    every = [key.decode() for key in pipeline.connection.call("KEYS", "*")]
    assert all(key.startswith(keys.PREFIX) for key in every)
    assert [
        key for key in every if not keys.permanent(key) and pipeline.connection.call("TTL", key) < 0
    ] == []


def test_samples_are_the_first_ones_and_then_a_share(pipeline, event):
    consumer = pipeline.consumer("count")
    same_partition = [n for n in range(1, 60) if pipeline.defs.partition_of(event(n).id) == 0][:10]
    pipeline.add("unique", *[event(n) for n in same_partition])
    consumer.commit(tallied(consumer.read()))
    whole = [one for one in pipeline.ids("counted") if one != "-"]
    assert whole == sorted(event(n).id for n in same_partition[:4])


def test_an_event_without_a_body_is_counted_and_is_no_sample(pipeline, event):
    bare, whole = replace(event(1), body=b""), event(2)
    pipeline.add("unique", bare, whole)
    consumer = pipeline.consumer("count")
    consumer.commit(tallied(consumer.read()))
    assert highest_values(pipeline, "202511")["events\t1:v1:a"] == 2
    assert [one for one in pipeline.ids("counted") if one != "-"] == [whole.id]


def test_bodies_that_are_counted_late_are_samples_all_the_same(pipeline, event):
    """Whoever had them first was killed; the issue had no sample for as long as it was frequent."""
    numbers = [n for n in range(1, 200) if pipeline.defs.partition_of(event(n).id) == 0][:20]
    bare, whole = [replace(event(n), body=b"") for n in numbers[:10]], list(map(event, numbers))
    consumer = pipeline.consumer("count")
    for batch in (bare, whole[10:12], whole[12:]):
        pipeline.add("unique", *batch)
        consumer.commit(tallied(consumer.read()))
    samples = [one for one in pipeline.ids("counted") if one != "-"]
    assert samples == sorted(one.id for one in whole[10:14])


def tag_counts(pipeline):
    """The highest count that was sent for each field of a tag."""
    return {
        field: n
        for _, part in values(pipeline, "202511")
        for field, n in part.items()
        if field.startswith("tag")
    }


def test_distinct_values_of_a_tag_are_bounded(pipeline, event):
    consumer = pipeline.consumer("count")
    for n in range(60):
        pipeline.add("unique", event(1, tags={"page": f"https://shop.example/{n}"}))
    while batch := consumer.read():
        consumer.commit(tallied(batch))
    fields = tag_counts(pipeline)
    assert len(fields) == 21
    assert fields["tag\t1:v1:a\tpage\t(other)"] == 40


def test_names_of_tags_are_bounded_too_and_what_is_beyond_leaves_one_count(pipeline, event):
    consumer = pipeline.consumer("count")
    for n in range(50):
        pipeline.add("unique", event(1, tags={"browser": "Chrome 156", f"made-up-{n}": "x"}))
    while batch := consumer.read():
        consumer.commit(tallied(batch))
    fields = tag_counts(pipeline)
    assert len(fields) == 31
    assert fields["tag\t1:v1:a\t(other)\t(other)"] == 21
    assert fields["tag\t1:v1:a\tbrowser\tChrome 156"] == 50
    (bucket,) = [
        key
        for tag in pipeline.defs.tags
        for key in pipeline.connection.call("KEYS", keys.tally(tag, "202511", "1:v1:a"))
    ]
    assert not [name for name in pipeline.connection.call("HKEYS", bucket) if b"made-up-29" in name]


def test_a_dropped_event_is_counted_by_reason(pipeline, event):
    pipeline.add("raw", event(1), event(2))
    consumer = pipeline.consumer("name")
    consumer.commit([(entry, Drop("crawler")) for entry in consumer.read()])
    ledgers = [
        pipeline.connection.call("HGET", keys.ledger(tag), "name:dropped:crawler")
        for tag in pipeline.defs.tags
    ]
    assert sum(int(n or 0) for n in ledgers) == 2
    assert pipeline.inside("named") == []


def test_a_client_report_is_counted_by_reason_and_once(pipeline, event):
    pipeline.add("unique", event(1), event(2))
    consumer = pipeline.consumer("count")
    batch = consumer.read()
    counts = {"filter:messages": 3, "ignored": 0}
    answers = [(entry, Drop("client_report", counts)) for entry in batch]
    consumer.commit(answers)
    assert consumer.commit(answers) == CommitTotals(stale=len(batch))
    while batch := consumer.read():
        consumer.commit([(entry, Drop("client_report", counts)) for entry in batch])
    assert take(pipeline.connection, pipeline.defs).client_losses == {"filter:messages": 6}


def test_a_rejected_event_is_whole_in_the_dead_letters(pipeline, event):
    pipeline.add("raw", event(1))
    consumer = pipeline.consumer("name")
    consumer.commit([(entry, Reject("it is purple")) for entry in consumer.read()])
    found = [
        pipeline.connection.call("XRANGE", keys.dead(tag), "-", "+") for tag in pipeline.defs.tags
    ]
    (letter,) = [
        dict(zip(flat[::2], flat[1::2], strict=True)) for entries in found for _, flat in entries
    ]
    assert (letter[b"stage"], letter[b"why"], letter[b"tries"]) == (b"name", b"it is purple", b"1")
    assert decode(letter) == event(1)


def test_a_partition_without_an_epoch_does_not_count(pipeline, event):
    """After FLUSHALL counters would restart from zero: a new epoch must name them first."""
    pipeline.add("unique", event(1))
    consumer = pipeline.consumer("count")
    batch = consumer.read()
    for tag in pipeline.defs.tags:
        pipeline.connection.call("DEL", keys.epoch(tag))
    with pytest.raises(MissingEpochError):
        consumer.commit(tallied(batch))
    consumer.prepare()
    assert consumer.commit(tallied(batch)).won == 1
