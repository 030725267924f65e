"""The list of guards fits the code, and its page says what `make mutations` found last."""

from __future__ import annotations

import re

import pytest

from tests.mutations.__main__ import PAGE
from tests.mutations.guards import ROOT, guards, without


@pytest.mark.parametrize("guard", guards(), ids=lambda guard: guard.keeps)
def test_a_guard_stands_where_the_list_says_and_a_test_that_is_there_misses_it(guard):
    text = (ROOT / guard.file).read_text()
    assert without(guard, text) != text
    row = next(row for row in PAGE.read_text().splitlines() if f"| {guard.keeps} |" in row)
    name, file = re.fullmatch(r".*\| `(\w+)` in `([\w/.]+)` \|", row).groups()
    assert f"def {name}(" in (ROOT / file).read_text()


def test_the_page_has_no_other_rows():
    rows = re.findall(r"^\| (.+?) \| `\w+/", PAGE.read_text(), re.MULTILINE)
    assert rows == [guard.keeps for guard in guards()]
