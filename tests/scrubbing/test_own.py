"""What a project adds to the private data that is known, and what it leaves alone."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchwater.config.scrubbing import Private
from stages.scrubbing.cleaner import Cleaner

CUSTOMER = Private(patterns=[r"\bKD-\d{6}\b"])
EACH = {
    "secret": "password=hunter2",
    "token": "Bearer abc123def456ghi",
    "email": "jane@example.com",
    "card": "4111 1111 1111 1111",
    "ip": "203.0.113.77",
}


def clean(text: str, private: Private) -> str:
    return Cleaner(private).clean(text, Counter())


def test_a_pattern_of_one_s_own_takes_out_what_it_finds_in_any_language():
    found: Counter[str] = Counter()
    assert Cleaner(CUSTOMER).clean("für KD-123456, 😀 KD-654321; nicht KD-12", found) == (
        "für [private], 😀 [private]; nicht KD-12"
    )
    assert found == {"private": 2}


def test_fields_of_one_s_own_are_secret_wherever_names_have_values():
    own = Private(fields=["*_nr"])
    assert clean("?kunden_nr=17&x=1", own) == "?kunden_nr=[secret]&x=1"
    assert clean('{"kunden_nr": "17", "x": "1"}', own) == '{"kunden_nr": "[secret]", "x": "1"}'


def test_public_fields_are_left_alone():
    assert (
        clean("session=dark password=x1", Private(public_fields=["session"]))
        == "session=dark password=[secret]"
    )


@pytest.mark.parametrize("kind", EACH)
def test_a_kind_that_is_kept_is_kept_and_the_others_are_not(kind):
    own = Private(keep=[kind])
    assert clean(EACH[kind], own) == EACH[kind]
    others = [text for name, text in EACH.items() if name != kind]
    assert [text for text in others if clean(text, own) == text] == []


def test_all_kinds_may_be_kept():
    everything = " ".join(EACH.values())
    assert clean(everything, Private(keep=list(EACH))) == everything


@given(st.text())
def test_any_text_is_taken(text):
    assert isinstance(clean(text, Private(patterns=[r"[a-z]{3}\d", r"é+"])), str)


def test_no_pattern_is_slow_that_would_never_end_elsewhere():
    own = Private(patterns=[r"(a+)+$", r"(x+x+)+y"])
    started = time.process_time()
    clean("a" * 50_000 + "!" + "x" * 50_000, own)
    assert time.process_time() - started < 2
