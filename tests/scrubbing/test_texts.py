"""What is taken out of texts, and what is not."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.scrubbing import cleaner

clean = cleaner.DEFAULT.clean

CASES = json.loads(
    (Path(__file__).parents[1] / "data" / "scrubbing" / "cases.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    "case", CASES["private"], ids=lambda case: f"{case['class']}: {case['text'][:40]}"
)
def test_what_is_private_is_taken_out_and_counted(case):
    found: Counter[str] = Counter()
    assert clean(case["text"], found) == case["becomes"]
    assert found.total() >= 1
    assert clean(case["becomes"], Counter()) == case["becomes"]


@pytest.mark.parametrize("text", CASES["harmless"])
def test_what_is_harmless_stays(text):
    found: Counter[str] = Counter()
    assert (clean(text, found), found) == (text, Counter())


def test_the_corpus_is_large_enough_to_mean_something():
    assert len(CASES["private"]) > 90
    assert len(CASES["harmless"]) > 110


@given(st.text())
def test_any_text_is_cleaned_once_and_for_all(text):
    once = clean(text, Counter())
    assert clean(once, Counter()) == once


@given(
    st.emails(domains=st.sampled_from(["example.com", "mail.example.co.uk"])),
    st.text(alphabet=" ,;:()<>", max_size=5),
)
def test_no_ordinary_address_survives(address, around):
    name = address.rpartition("@")[0]
    if (
        name[:1].isalnum()
        and all(char.isalnum() or char in "._+-" for char in name)
        and name != "git"
    ):
        assert "example" not in clean(f"to {around}{address}{around} !", Counter())


@given(st.lists(st.integers(0, 9), min_size=14, max_size=14), st.sampled_from(["", " ", "-"]))
def test_no_visa_card_survives(digits, separator):
    number = "4" + "".join(map(str, digits))
    odd = sum(int(one) * 2 - 9 * (int(one) > 4) for one in number[-1::-2]) + sum(
        int(one) for one in number[-2::-2]
    )
    number += str(-odd % 10)
    groups = separator.join(number[at : at + 4] for at in range(0, 16, 4))
    if len(set(number)) > 1:
        assert clean(f"card {groups} declined", Counter()) == "card [card] declined"


@pytest.mark.parametrize(
    "part",
    [
        "a@",
        "@a.",
        "a=",
        "1 ",
        "1.",
        "1:",
        "%40",
        "://",
        "eyJ",
        "4111-",
        '"a":"',
        "Bearer ",
        "-----BEGIN ",
        "[",
        "a",
    ],
)
def test_no_text_takes_more_than_its_length(part):
    """Ten times the text takes about ten times as long: far from the hundred times of a
    quadratic one.
    """

    def seconds(size: int) -> float:
        text = (part * size)[:size]
        started = time.process_time()
        clean(text, Counter())
        return time.process_time() - started

    short = min(seconds(20_000) for _ in range(3))
    assert seconds(200_000) < 30 * short + 0.05


@pytest.mark.parametrize("part", ["Authorization: ", "Set-Cookie:", "password=[", "a[", "token=[["])
def test_a_text_of_names_without_values_costs_what_its_length_justifies(part):
    """Each name had the 4,000 characters after it looked through: 200 kB took 9 s."""
    text = (part * 200_000)[:200_000]
    started = time.process_time()
    clean(text, Counter())
    assert time.process_time() - started < 0.9
