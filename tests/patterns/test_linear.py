"""No regular expression takes more than linear time, whatever the text.

Decided by how the time grows when a text is twice as long, not by how long it takes.
"""

from __future__ import annotations

import re

import pytest

from tests.patterns.slow_inputs import Use, slowest, uses


def test_no_pattern_takes_more_than_linear_time():
    every = list(uses())
    assert len(every) > 90, "the search does not find the patterns any more"
    assert [found for use in every if (found := slowest(use))] == []


@pytest.mark.parametrize("pattern", [r"\w+@", r"\([^)]*\)\Z", r"x.*y.*z"])
def test_the_search_finds_patterns_that_are_not_linear(pattern):
    assert slowest(Use("example", re.compile(pattern), "search"))
