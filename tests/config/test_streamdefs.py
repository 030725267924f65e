"""Every mistake at once, each with its line, its value and a suggestion."""

from __future__ import annotations

from datetime import timedelta

import pytest

from catchwater.config.hash_slots import SLOTS, slot, tags
from catchwater.config.streamdefs import load
from catchwater.config.units import format_duration, parse_duration, parse_per_hour
from catchwater.errors import ConfigError

GOOD = """\
partitions: 4
streams: {raw: {limit: 10}, named: {}, counted: {}}
stages:
  name: {run: "stages.dedupe:dedupe", reads: raw, emits: named, once_for: 24h}
  count: {run: "stages.count:count", reads: named, emits: counted}
  sink: {run: sink, reads: counted, batch: 1000}
defaults: {wait: 100ms, claim_after: 20s}
retention: {samples: 7d}
"""


@pytest.fixture
def loaded(tmp_path):
    def load_text(text):
        path = tmp_path / "streamdefs.yaml"
        path.write_text(text)
        return load(path)

    return load_text


def mistakes(loaded, text):
    with pytest.raises(ConfigError) as error:
        loaded(text)
    return [str(one) for one in error.value.mistakes]


def test_a_pipeline_is_read_with_its_defaults(loaded):
    defs = loaded(GOOD)
    assert (defs.partitions, defs.streams["raw"].limit, defs.streams["named"].limit) == (
        4,
        10,
        1_000_000,
    )
    assert (defs.stages["name"].wait, defs.stages["name"].batch, defs.stages["sink"].batch) == (
        timedelta(milliseconds=100),
        500,
        1000,
    )
    assert (defs.retention.samples, defs.retention.hours) == (
        timedelta(days=7),
        timedelta(days=90),
    )
    assert defs.counting_path == ["name", "count"]


def test_the_pipeline_that_ships_has_no_mistake():
    assert load().counting_path == ["fingerprint", "dedupe", "count"]


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ("partitions: 4", "partitions: 0", 1, "greater than or equal to 1, not 0"),
        ("partitions: 4", "partitions: four", 1, "valid integer, not 'four'"),
        ("partitions: 4", "partitins: 4", 1, "did you mean 'partitions'?"),
        ("limit: 10", "limt: 10", 2, "streams.raw.limt: unknown setting; did you mean 'limit'?"),
        ("once_for: 24h", "once_fr: 24h", 4, "did you mean 'once_for'?"),
        (
            "once_for: 24h",
            "once_for: 24",
            4,
            "a number and a unit: ms, s, m, h or d, such as 30s, not 24",
        ),
        ("reads: named", "reads: nmaed", 5, "there is no stream 'nmaed'; did you mean 'named'?"),
        ("run: sink", "run: snk", 6, "write module:function"),
        ("run: sink,", "", 6, "stages.sink.run: is missing: the stage's function"),
        ("wait: 100ms", "wait: 1h", 7, "less than or equal to 30"),
        ("claim_after: 20s", "claim_after: 500ms", 4, "shorter than a batch can take"),
        ("samples: 7d", "samples: 7 days", 8, "not '7 days'"),
        ("emits: named", "emits: raw", 4, "ingest writes 'raw' already"),
        (
            "emits: counted",
            "emits: named",
            5,
            "name writes 'named' already: events would count twice",
        ),
        ("named: {}, ", "named: {}, spare: {}, ", 2, "no stage reads it"),
        (
            "reads: counted",
            "reads: counted, emits: named",
            6,
            "the sink writes to MongoDB and emits nothing",
        ),
        (", emits: counted", "", 5, "emits is missing: only the sink emits nothing"),
        ("  count:", "  name:", 5, "stages.name: is set twice: also on line 4"),
        ("raw: {limit: 10}, ", "", 2, "the stream 'raw', which ingest writes, is missing"),
        ("reads: raw", "reads: counted", 4, "is part of a cycle"),
        ("retention: {samples: 7d}", "retention: [7d]", 8, "retention"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_do(loaded, old, new, line, text):
    assert old in GOOD
    found = mistakes(loaded, GOOD.replace(old, new, 1))
    assert [one for one in found if one.startswith(f"line {line}: ") and text in one], found


def test_every_mistake_is_told_at_once(loaded):
    found = mistakes(
        loaded,
        GOOD.replace("limit: 10", "limit: -1")
        .replace("24h", "24")
        .replace("reads: counted", "reads: cuonted"),
    )
    assert len(found) >= 4


@pytest.mark.parametrize("text", ["", "[]", "a: [", "a: b: c", "\t", "stages: 17"])
def test_what_is_no_pipeline_is_no_traceback(loaded, text):
    assert mistakes(loaded, text)


def test_the_event_id_decides_on_the_partition(loaded):
    defs = loaded(GOOD)
    assert {defs.partition_of(f"{n:032x}") for n in range(100)} == {0, 1, 2, 3}


@pytest.mark.parametrize("partitions", [1, 2, 8, 16, 64, 100, 256])
def test_the_slots_of_the_partitions_are_spread_evenly(partitions):
    ranges = [slot(tag) * partitions // SLOTS for tag in tags(partitions)]
    assert sorted(ranges) == list(range(partitions))


@pytest.mark.parametrize("partitions", [16, 24, 32, 64, 256])
def test_partitions_that_are_doubled_are_those_that_were_and_as_many_more(partitions):
    half = partitions // 2
    assert tags(partitions)[:half] == tags(half)
    for before, fresh in zip(tags(half), tags(partitions)[half:], strict=True):
        assert slot(before) * half // SLOTS == slot(fresh) * half // SLOTS, "on the same node"


def test_data_of_a_few_partitions_is_where_earlier_versions_look_for_it():
    assert tags(8) == ["p42", "p3", "p43", "p2", "p40", "p1", "p41", "p0"]
    assert (tags(2), tags(4), tags(9)[:3]) == (
        ["p2", "p0"],
        ["p3", "p2", "p1", "p0"],
        ["p51", "p11", "p3"],
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [("1500ms", 1.5), ("30s", 30), ("5m", 300), ("24h", 86_400), ("0.5d", 43_200)],
)
def test_durations_have_units(text, value):
    assert parse_duration(text) == timedelta(seconds=value)


@pytest.mark.parametrize(
    ("value", "text"), [(86_400.0, "1d"), (90.0, "90s"), (0.3, "300ms"), (7200.0, "2h")]
)
def test_durations_are_spelled_in_the_largest_unit(value, text):
    assert format_duration(timedelta(seconds=value)) == text
    assert parse_duration(text) == timedelta(seconds=value)


@pytest.mark.parametrize("text", ["20", 20, "20/m", "-1/h", None])
def test_a_rate_without_its_unit_is_refused(text):
    with pytest.raises(ValueError, match="such as 20/h"):
        parse_per_hour(text)
