"""The simulated day: its functions against what they stand for, and a small run of all of it."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import yaml
from click.testing import CliRunner

from benchmarks import day, documents
from catchwater.config.streamdefs import load
from tests.ops.tool import ROOT

DRAWN = 100_000


@pytest.mark.parametrize("kind", day.KINDS)
@pytest.mark.parametrize("partitions", [8, 16, 64])
def test_no_partition_is_a_tenth_above_the_mean_under_a_skewed_load(partitions, kind):
    everything, hottest = day.balance(day.with_partitions(partitions), DRAWN, kind, 500)
    assert everything < 0.1
    # Of the most frequent issue so few are drawn that chance alone is more.
    of_hottest = DRAWN * day.issue_shares(500)[0]
    assert hottest < 0.1 + 2 * day.expected_over_mean(of_hottest, partitions)


def test_an_uneven_load_is_seen():
    assert day.over_mean(Counter({0: 25, 1: 25, 2: 50}), 3) == pytest.approx(0.5)
    assert day.over_mean(Counter({0: 10}), 8) == pytest.approx(7)


def test_what_is_expected_of_chance_is_what_chance_does():
    chance = random.Random(3)
    drawn = [Counter(chance.choices(range(64), k=20_000)) for _ in range(20)]
    mean = sum(day.over_mean(one, 64) for one in drawn) / len(drawn)
    assert mean == pytest.approx(day.expected_over_mean(20_000, 64), rel=0.3)


@pytest.mark.parametrize("partitions", [8, 16, 64])
def test_all_keys_of_a_partition_are_in_one_slot_and_masters_share_them(partitions):
    defs = day.with_partitions(partitions)
    assert all(len(day.slots_of(defs, tag)) == 1 for tag in defs.tags)
    found = day.by_node(defs, 4)
    assert found.total() == partitions
    assert day.over_mean(found, 4) < 0.1


def test_counters_of_a_day_are_as_many_as_drawing_all_of_its_events_gives():
    chance, issues, events, partitions = random.Random(5), 50, 20_000, 8
    met = set(
        zip(
            chance.choices(range(issues), day.issue_shares(issues), k=events),
            chance.choices(range(24), day.hour_shares(), k=events),
            chance.choices(range(partitions), k=events),
            strict=True,
        )
    )
    assert day.counters_of_a_day(events, issues, partitions) == pytest.approx(len(met), rel=0.03)


def test_no_document_comes_near_what_mongodb_takes(mongo_url: str):
    tags = day.with_partitions(64).tags
    found = documents.sizes(mongo_url, tags, 24, 1, documents.FEW_TAGS)
    found["all tags"] = documents.sizes(mongo_url, tags, 1, 1, documents.TAGS)["tags"]
    assert max(found.values()) < documents.LARGEST / 10


def test_an_issue_of_two_years_is_as_large_as_one_of_half_a_year(mongo_url: str):
    young, old = (
        documents.sizes(mongo_url, load().tags, months, 2, documents.FEW_TAGS)["issues"]
        for months in (7, 24)
    )
    assert old == pytest.approx(young, rel=0.02)


def test_a_million_a_month_needs_part_of_a_core_and_a_million_a_minute_several_masters():
    small, large = (day.cores(1e6 / day.RATES[name]) for name in ("month", "minute"))
    assert sum(small.values()) < 0.01
    assert large["Redis"] > 1


def test_the_page_has_the_counts_that_are_held():
    """docs/scale.md has them once more, for people."""
    limits = yaml.safe_load((ROOT / "tests/costs/limits.yaml").read_text())
    page = (ROOT / "docs/scale.md").read_text()
    rows = [row.strip("| ").split(" | ")[1:] for row in page.splitlines()]
    for name in ("commands of Redis", "documents of MongoDB"):
        both = [f"{limits[pipeline][name]:,}" for pipeline in ("packaged", "small")]
        assert both in rows, name
    for pipeline in ("packaged", "small"):
        bytes_ = [limits[pipeline][f"kB {way} Redis"] / 1000 for way in ("to", "from")]
        assert f"| {bytes_[0]:.1f} MB, {bytes_[1]:.1f} MB |" in page


@pytest.mark.timeout(240)
def test_a_small_day_is_printed():
    said = CliRunner().invoke(day.main, ["--events=100000", "--drawn=5000", "--issues=50"])
    assert said.exit_code == 0, said.output
    for begin in ("the busiest partition", "Redis: ", "MongoDB: ", "cores for a million"):
        assert f"\n{begin}" in f"\n{said.output}"
