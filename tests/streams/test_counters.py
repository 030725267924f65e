"""The codec of counters: what the commit writes, the sink and the dashboard read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchwater.streams import counters
from catchwater.streams.counters import CounterField

ISSUE = "1:v1:0123456789abcdef0123456789abcdef"
NO_SEPARATOR = st.characters(exclude_characters="\t")


def test_each_field_is_read_as_it_was_written():
    assert counters.parse_field(counters.events_field(ISSUE)) == CounterField("events", ISSUE)
    assert counters.parse_field(counters.more_field(ISSUE)) == CounterField("more", ISSUE)
    field = counters.tag_field(ISSUE, counters.tag("browser", "Chrome\t156"))
    assert counters.parse_field(field) == CounterField("tag", ISSUE, "browser\tChrome\t156")


@given(issue=st.text(NO_SEPARATOR), name=st.text(NO_SEPARATOR), value=st.text())
def test_any_field_is_read_as_it_was_written(issue, name, value):
    """Only the value, which comes last, may contain the separator."""
    assert counters.parse_field(counters.events_field(issue)) == CounterField("events", issue)
    assert counters.parse_field(counters.more_field(issue)) == CounterField("more", issue)
    field = counters.tag_field(issue, counters.tag(name, value))
    assert counters.parse_field(field) == CounterField("tag", issue, counters.tag(name, value))
    assert counters.parse_tag(counters.parse_field(field).tag) == (name, value)


@given(st.sets(st.text(), min_size=2))
def test_different_texts_have_different_keys(texts):
    assert len({counters.escape_key(text) for text in texts}) == len(texts)


@given(st.text())
def test_any_text_comes_back_out_of_a_key_and_means_nothing_to_mongodb(text):
    key = counters.escape_key(text)
    assert counters.unescape_key(key) == text
    assert key
    assert not set(key) & {".", "$", "\0"}


@pytest.mark.parametrize("bucket", ["2026112314", "202611"])
def test_a_part_is_named_for_month_partition_epoch_and_generation(bucket):
    part = str(counters.part_of(bucket, "p42", "a1b2c3d4", "1"))
    assert part == "202611-p42-a1b2c3d4-1"
    assert counters.source_of("p42", "a1b2c3d4") == "p42-a1b2c3d4"
