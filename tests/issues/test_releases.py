from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchwater.issues.releases import Releases, version_order

OLD = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.9.0", "1.10.0"),
        ("v1.2", "1.2.1"),
        ("2026.11.3", "2026.12.1"),
        ("shop@1.0.0", "shop@2.0.0"),
        ("1.0.0-alpha", "1.0.0-alpha.1"),
        ("1.0.0-alpha.1", "1.0.0-alpha.beta"),
        ("1.0.0-beta.2", "1.0.0-beta.11"),
        ("1.0.0-rc.1", "1.0.0"),
        ("1.0.0-alpha", "1.0.0-rc"),
    ],
)
def test_versions_are_ordered_as_semver_org_has_it(older: str, newer: str):
    assert (version_order(older, newer) or 0) < 0 < (version_order(newer, older) or 0)
    seen_the_other_way = Releases({newer: OLD, older: OLD + timedelta(days=1)})
    assert seen_the_other_way.is_older(older, newer)
    assert seen_the_other_way.newest() == newer


@pytest.mark.parametrize(
    ("one", "other"), [("9f8e7d6", "1a2b3c4"), ("1041", "1042"), ("a@1.0", "b@2.0"), ("1.0", "x")]
)
def test_others_are_ordered_by_their_first_appearance(one: str, other: str):
    assert version_order(one, other) is None
    known = Releases({one: OLD, other: OLD + timedelta(minutes=1)})
    assert (known.is_older(one, other), known.is_older(other, one)) == (True, False)
    assert known.newest() == other


def test_a_release_that_nobody_has_seen_comes_last():
    known = Releases({"9f8e7d6": OLD})
    assert known.is_older("9f8e7d6", "to come")
    assert not known.is_older("to come", "9f8e7d6")
    assert Releases().newest() == ""


def test_a_build_does_not_count():
    assert version_order("1.0.0+a", "1.0.0+b") == 0
    assert version_order("1.0", "1.0.0") == 0


versions = st.from_regex(r"\A[0-9]{1,3}(\.[0-9]{1,3}){1,3}(-[a-c0-9.]{1,5})?\Z", fullmatch=True)


@given(versions, versions)
def test_the_order_is_the_same_from_both_sides(one: str, other: str):
    first, second = version_order(one, other), version_order(other, one)
    assert first is not None
    assert second is not None
    assert (first > 0, first < 0) == (second < 0, second > 0)
