"""A pipeline whose definitions change while its Redis lives on."""

from __future__ import annotations

import pytest

from catchwater.answers import Emit
from catchwater.commands.server_checks import redis_problems
from catchwater.config.streamdefs import load
from catchwater.errors import RefusedError
from catchwater.event import decode
from catchwater.streams import keys
from catchwater.streams.agreement import differences
from catchwater.streams.consumer import prepare
from tests.pipelines import PIPELINE, Pipeline


@pytest.fixture
def changed(tmp_path):
    """The definitions of the pipeline with one text instead of another."""

    def change(*pairs):
        text = PIPELINE
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "changed.yaml").write_text(text)
        return load(tmp_path / "changed.yaml")

    return change


def pass_on(pipeline, stage):
    """Everything that waits for the stage goes on. It is trimmed later, now and then."""
    consumer = pipeline.consumer(stage)
    while batch := consumer.read():
        consumer.commit([(entry, Emit(decode(entry.fields))) for entry in batch])


RENAMED = ("  count: {run", "  counting: {run")
BETWEEN = "  between: {run: stages.dedupe:dedupe, reads: unique, emits: late, once_for: 60s}\n"
MOVED = [
    ("unique: {}", "unique: {}, late: {}"),
    ("run: stages.count:count, reads: unique", "run: stages.count:count, reads: late"),
    ("  sink:", f"{BETWEEN}  sink:"),
]


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        ([RENAMED], "stages.count.reads is nothing"),
        (MOVED, "stages.count.reads is late"),
        ([("once_for: 60s", "once_for: 2h")], "stages.dedupe.once_for is 2h"),
        ([("partitions: 2", "partitions: 3")], "partitions is 3"),
    ],
    ids=["renamed", "moved", "horizon", "partitions"],
)
def test_what_would_count_again_does_not_start(pipeline, event, changed, pairs, told):
    """The new group of a renamed stage read what the old one had finished: it is trimmed late."""
    pipeline.add("unique", *(event(n) for n in range(20)))
    pass_on(pipeline, "count")
    assert len(pipeline.ids("unique")) == 20, "finished, and still there"
    defs = changed(*pairs)
    with pytest.raises(RefusedError, match=told):
        prepare(pipeline.connection, defs)
    assert any(told in one for one in redis_problems(pipeline.url, defs))
    prepare(pipeline.connection, pipeline.defs)


def sixteen(pipeline, changed):
    pipeline.connection.call("FLUSHDB")
    defs = changed(("partitions: 2", "partitions: 16"))
    prepare(pipeline.connection, defs)
    return defs


def test_sixteen_partitions_of_an_earlier_version_are_in_another_order(pipeline, changed):
    defs = sixteen(pipeline, changed)
    prepare(pipeline.connection, defs)
    pipeline.connection.call("HSET", keys.META, "layout", "1")
    with pytest.raises(RefusedError, match="its 16 partitions are in the order of an earlier"):
        prepare(pipeline.connection, defs)


@pytest.mark.parametrize("partitions", [2, 16])
def test_keys_of_a_later_version_are_not_used(pipeline, changed, partitions):
    defs = sixteen(pipeline, changed) if partitions == 16 else pipeline.defs
    pipeline.connection.call("HSET", keys.META, "layout", "3")
    with pytest.raises(RefusedError, match="its keys are of version 3"):
        prepare(pipeline.connection, defs)


def test_a_further_stage_goes_before_one_that_is_there(pipeline, event, changed):
    earlier = pipeline.consumer("name")
    pipeline.add("raw", *(event(n) for n in range(10)))
    pass_on(pipeline, "name")
    defs = changed(
        ("named: {}", "named: {}, fresh: {}"),
        ("reads: raw, emits: named", "reads: raw, emits: fresh"),
        ("  dedupe:", "  enrich: {run: stages.count:count, reads: fresh, emits: named}\n  dedupe:"),
    )
    prepare(pipeline.connection, defs)
    later = Pipeline(pipeline.url, defs, pipeline.connection, pipeline.opened)
    later.add("raw", *(event(n) for n in range(10, 20)))
    batch = earlier.read()  # a process with the earlier definitions works on beside it
    earlier.commit([(entry, Emit(decode(entry.fields))) for entry in batch])
    for stage in ("name", "enrich", "dedupe"):
        pass_on(later, stage)
    assert later.ids("unique") == sorted(event(n).id for n in range(20))


def test_whoever_says_so_may_forget_a_horizon(pipeline, changed):
    defs = changed(("once_for: 60s", "once_for: 2h"))
    pipeline.connection.call("HDEL", keys.META, "once_for:dedupe")
    prepare(pipeline.connection, defs)
    assert pipeline.connection.call("HGET", keys.META, "once_for:dedupe") == b"2h"


def test_what_a_later_version_has_fixed_is_no_matter(pipeline):
    assert list(differences({"colour": "red", "emits:x": "y"}, pipeline.defs)) == []
