from __future__ import annotations

from collections import defaultdict

import pytest

from tests.stages.grouping_cases import captures, events, load, named, of_pair

PAIRS = load("grouping_pairs_dev.json")["pairs"]

# Pairs of level "should" whose verdict we do not give, with the reason. (None at present.)
UNMET: dict[str, str] = {}

# Statements whose reports cannot be brought together across the three engines.
APART: dict[str, str] = {}


def is_one_issue(pair):
    first, second = (named(*of_pair(pair[side])) for side in ("a", "b"))
    return first["fingerprint"] == second["fingerprint"]


@pytest.mark.parametrize(
    "pair", PAIRS, ids=[f"{pair['id']}-{pair['category']}-{pair['level']}" for pair in PAIRS]
)
def test_gives_each_pair_its_verdict(pair):
    assert (is_one_issue(pair) == (pair["verdict"] == "same")) == (pair["id"] not in UNMET), pair[
        "reason"
    ]


@pytest.mark.parametrize(("level", "least"), [("must", 100), ("should", 85)])
def test_enough_pairs_get_their_verdict(level, least, figures):
    pairs = [pair for pair in PAIRS if pair["level"] == level]
    share = (
        100 * sum(is_one_issue(pair) == (pair["verdict"] == "same") for pair in pairs) / len(pairs)
    )
    figures(f"grouping: {share:.1f} % of the {len(pairs)} pairs of level {level} get their verdict")
    assert share >= least


def test_one_statement_is_one_issue_in_all_three_engines():
    names = defaultdict(lambda: defaultdict(set))
    for engine, scenario, via, report in captures():
        which = (
            report["source"] if via.startswith("error-event") else via
        )  # one page missed two resources
        names[scenario, which][named("snippet", report)["fingerprint"]].add(engine)
    split = {
        scenario
        for (scenario, _), found in names.items()
        if len(found) > 1 and len(set.union(*found.values())) > 1
    }
    assert split == set(APART)


def test_each_version_of_the_sdk_gives_an_error_the_same_name():
    """Version 7 and version 11, on the same page, about the same errors."""
    by_version = defaultdict(set)
    for kind, body in events():
        version = (body.get("sdk") or {}).get("version", "")[:2]
        if version in ("7.", "11"):
            by_version[version].add(named(kind, body)["fingerprint"])
    assert len(by_version["7."] & by_version["11"]) >= 20


def test_a_csp_violation_has_one_name_in_every_form_and_engine():
    names = defaultdict(set)
    for kind, body in events():
        whole = named(kind, body)
        if whole["type"] == "CSPViolation":
            names[whole["message"]].add(whole["fingerprint"])
    assert names
    assert all(len(found) == 1 for found in names.values())
