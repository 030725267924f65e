from __future__ import annotations

import pytest

from catchwater.errors import QueryParameterError
from catchwater.issues.search import Search, parse


def asking(*filters: tuple[str, str], text: str = "") -> Search:
    return Search(text, frozenset(filters))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Search()),
        (" cannot read  x ", Search("cannot read  x")),
        ("is:resolved", asking(("is", "resolved"))),
        (
            "boom is:ignored project:7 level:warning at f",
            asking(("is", "ignored"), ("project", "7"), ("level", "warning"), text="boom at f"),
        ),
        ("TypeError: x is: y", Search("TypeError: x is: y")),
        ("this:is:resolved", Search("this:is:resolved")),
        ('"is:resolved"', Search("is:resolved")),
        ('browser:"Chrome 156"', asking(("browser", "Chrome 156"))),
        ("is:resolved is:resolved", asking(("is", "resolved"))),
        ("os:ios* os:windows*", asking(("os", "ios*"), ("os", "windows*"))),
        ('tag.tenant:north tag."my tag":x', asking(("tag.tenant", "north"), ("tag.my tag", "x"))),
        ("since:7d until:2026-11-23", asking(("since", "7d"), ("until", "2026-11-23"))),
    ],
)
def test_words_that_ask_for_something_are_told_from_the_text(text: str, expected: Search):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("is:done", "is: 'done' is not allowed; use one of unresolved, resolved, ignored"),
        ("is:merged", "is: 'merged' is not allowed"),
        ("user:a user:b", "user: 'a' and 'b' exclude each other"),
        ("since:soon", "since: 'soon' is not allowed; use a duration such as 24h or 7d, or a time"),
        ("new-since:999999999d", "new-since: '999999999d' is not allowed"),
        ("project:1 project:2", "project: '1' and '2' exclude each other"),
    ],
)
def test_a_word_that_cannot_be_used_is_named(text: str, said: str):
    with pytest.raises(QueryParameterError, match=said):
        parse(text)
