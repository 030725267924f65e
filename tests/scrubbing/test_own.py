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


OPTIONAL = {
    "iban": [
        "DE89370400440532013000",
        "GB29 NWBK 6016 1331 9268 19",
        "FR1420041010050500013M02606",
        "NL91ABNA0417164300",
    ],
    "national_id": ["123-45-6789", "AB 12 34 56 C", "RSSMRA85T10A562S", "12345678Z", "X1234567L"],
    "phone": [
        "+49 30 1234567",
        "+1 (415) 555-0132",
        "0049 171 1234567",
        "(415) 555-0132",
        "415-555-0132",
        "030 1234 567",
        "+33 1 23 45 67 89",
    ],
}
ORDINARY = [
    "DE12345678901234567890",
    "12:30:45",
    "2026-11-27",
    "chunk 12345678",
    "v1.2.3",
    "550e8400-e29b-41d4-a716-446655440000",
    "at f (app.js:12:345678)",
    "+10 points",
    "id=1763900000000",
    "ISBN 978-3-16-148410-0",
]


@pytest.mark.parametrize("kind", OPTIONAL)
def test_an_optional_kind_is_taken_out_where_a_project_asks_for_it(kind):
    asked = Private(also=[kind])
    for text in OPTIONAL[kind]:
        sentence = f"no match for {text}, sorry"
        assert clean(sentence, Private()) == sentence
        assert clean(sentence, asked) == f"no match for [{kind}], sorry"


def test_ordinary_numbers_stay_even_with_all_optional_kinds():
    every = Private(also=list(OPTIONAL))
    assert [text for text in ORDINARY if clean(text, every) != text] == []


@pytest.mark.parametrize(
    "text", ["+1 " * 50_000, "DE89 " * 50_000, "12 34 56 " * 30_000, "0 " * 99_999]
)
def test_optional_kinds_are_linear(text):
    every = Private(also=list(OPTIONAL))
    started = time.process_time()
    clean(text, every)
    assert time.process_time() - started < 2
