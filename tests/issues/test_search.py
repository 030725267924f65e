from __future__ import annotations

import pytest

from catchwater.errors import QueryParameterError
from catchwater.issues.search import Search, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Search()),
        (" cannot read  x ", Search("cannot read  x")),
        ("is:resolved", Search(state="resolved")),
        (
            "boom is:ignored project:7 level:warning at f",
            Search("boom at f", "ignored", "7", "warning"),
        ),
        ("TypeError: x is: y", Search("TypeError: x is: y")),
        ("this:is:resolved", Search("this:is:resolved")),
        ('"is:resolved"', Search("is:resolved")),
        ('level:"very bad"', Search(level="very bad")),
        ("is:resolved is:resolved", Search(state="resolved")),
    ],
)
def test_words_that_ask_for_something_are_told_from_the_text(text: str, expected: Search):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("is:done", "is: 'done' is not allowed; use one of unresolved, resolved, ignored"),
        ("is:merged", "is: 'merged' is not allowed"),
        ("project:1 project:2", "project: '1' and '2' exclude each other"),
    ],
)
def test_a_word_that_cannot_be_used_is_named(text: str, said: str):
    with pytest.raises(QueryParameterError, match=said):
        parse(text)
