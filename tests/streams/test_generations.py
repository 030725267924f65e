"""Counters begin in a named part: after they expired in another, after a fall-back in the same."""

from __future__ import annotations

from datetime import timedelta

from catchwater.streams import keys
from tests.streams.committed import tallied, values


def test_a_bucket_that_is_gone_starts_a_new_part(pipeline, event):
    """Or its restart from zero would hide behind the larger value of the old part."""
    consumer = pipeline.consumer("count")
    pipeline.add("unique", event(1))
    consumer.commit(tallied(consumer.read()))
    for tag in pipeline.defs.tags:
        expired = (keys.generation(tag, "202511"), keys.tally(tag, "202511", "1:v1:a"))
        pipeline.connection.call("DEL", *expired)
    pipeline.add("unique", event(1))
    consumer.commit(tallied(consumer.read()))
    parts = [
        (int(generation), part["events\t1:v1:a"]) for generation, part in values(pipeline, "202511")
    ]
    assert parts == [(1, 1), (2, 1)]


def test_counters_of_a_bucket_that_a_fall_back_has_undone_begin_in_their_part_again(
    pipeline, event
):
    """In whatever order the issues are counted then. Once each issue took the next number, and was
    counted twice under another one.
    """
    consumer, call = pipeline.consumer("count"), pipeline.connection.call
    parts = []
    for order in ("ab", "ba"):
        pipeline.add("unique", *[event(1, issue=f"1:v1:{name}") for name in order])
        consumer.commit(tallied(consumer.read()))
        sent = values(pipeline, "202511")
        parts.append({(field, part) for part, its in sent for field in its})
        for tag in pipeline.defs.tags:  # it falls back to the state before
            call("DEL", *call("KEYS", f"cw:{{{tag}}}:[gpt]*:2025*"), keys.stream(tag, "counted"))
    assert parts[0] == parts[1]


def test_the_generation_expires_before_any_counters_that_began_in_it(pipeline, event):
    consumer, call = pipeline.consumer("count"), pipeline.connection.call
    pipeline.add("unique", *[event(1, issue=f"1:v1:{name}") for name in "abc"])
    consumer.commit(tallied(consumer.read()))
    tag = pipeline.defs.tags[pipeline.defs.partition_of(event(1).id)]
    for bucket in ("2025112312", "202511"):
        ends = [call("PEXPIRETIME", keys.tally(tag, bucket, f"1:v1:{name}")) for name in "abc"]
        assert 0 < call("PEXPIRETIME", keys.generation(tag, bucket)) < min(ends)


def test_counters_that_begin_after_redis_s_clock_was_set_back_begin_in_a_new_part(pipeline, event):
    """What says in which part they begin would outlive them."""
    consumer, call = pipeline.consumer("count"), pipeline.connection.call
    tag = pipeline.defs.tags[pipeline.defs.partition_of(event(1).id)]
    pipeline.add("unique", event(1))
    consumer.commit(tallied(consumer.read()))
    year_s = 365 * 86_400
    now_s = int(call("TIME")[0])
    call("SET", keys.generation(tag, "202511"), f"1 {now_s + year_s}", "EX", 2 * year_s)
    pipeline.add("unique", event(1, issue="1:v1:b"))
    consumer.commit(tallied(consumer.read()))
    assert [generation for generation, _ in values(pipeline, "202511")] == ["1", "2"]
    assert call("TTL", keys.generation(tag, "202511")) < year_s


def test_generations_are_remembered_for_as_long_as_hours_are(pipeline, event):
    retention = pipeline.defs.retention.model_copy(update={"hours": timedelta(days=400)})
    pipeline.defs = pipeline.defs.model_copy(update={"retention": retention})
    consumer = pipeline.consumer("count")
    pipeline.add("unique", event(1))
    consumer.commit(tallied(consumer.read()))
    tag = pipeline.defs.tags[pipeline.defs.partition_of(event(1).id)]
    assert pipeline.connection.call("TTL", keys.generations(tag, "202511")) > 460 * 86_400
