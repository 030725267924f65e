from __future__ import annotations

import pytest

from catchwater.errors import QueryParameterError
from catchwater.issues import release_facts
from catchwater.issues.search import MOST_FILTERS, Search, parse


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


LONG = f"shop-checkout@2026.11.28+{'0123456789' * 17}"
"""As long as a release can be, 200 characters."""


@pytest.mark.parametrize("release", ["1.10.0", LONG, 'sh"op', '"', "a *", "$where", "a:b is:c"])
def test_what_a_release_links_to_is_a_search_that_finds_it(release: str):
    """That of a long name was refused, and a quotation mark ended the name."""
    for asked_for in release_facts.searches("1", release, LONG[1:]).values():
        again = dict(parse(release_facts.written(asked_for)).filters)
        assert again.keys() == dict(asked_for.filters).keys()
        for name, value in asked_for.filters:
            exact = '"' not in value
            assert again[name] == (value if exact else value.partition('"')[0] + "*")


@pytest.mark.parametrize("text", ["x" * 501, " " * 501, "tag." * 9_000, "a\0b", "release:a\0*"])
def test_what_only_costs_time_or_can_be_in_no_text_is_refused(text: str):
    with pytest.raises(QueryParameterError, match=r"are too many; at most 500|a NUL character is"):
        parse(text)


def test_filters_are_counted_as_each_that_excludes_is_compared_with_every_issue():
    many = [f"!os:{n}" for n in range(MOST_FILTERS + 1)]
    assert len(parse(" ".join(many[:MOST_FILTERS])).filters) == MOST_FILTERS
    with pytest.raises(QueryParameterError, match="q: 21 filters are too many; at most 20"):
        parse(" ".join(many))


def test_half_a_pair_is_looked_for_as_events_have_it():
    assert parse("a\ud800 user:\udfff*") == asking(("user", "\ufffd*"), text="a\ufffd")
