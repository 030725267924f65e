"""What Prometheus is told of projects and releases: right, bounded, and nothing that is old."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import generate_latest
from pymongo.database import Database

from catchwater import metrics
from catchwater.errors import UnavailableError
from dashboard import project_figures
from dashboard.project_figures import RELEASES, FiguresReader, Release, samples
from dashboard.project_gauges import ProjectGauges
from tests.dashboard import documents as made
from tests.dashboard.conftest import NOWHERE, Site
from tests.waiting import wait_until

Mongo = Database[dict[str, Any]]

NOW = made.moment()
NAMES = {"1": "Tea shop", "2": "Back office"}


@pytest.fixture
def reader(mongo: Mongo, mongo_url: str) -> Iterator[FiguresReader]:
    opened = FiguresReader(mongo_url)
    yield opened
    opened.close()


def seen(mongo: Mongo, project: str, release: str, **ago: float) -> None:
    first = NOW - timedelta(**ago)
    about = {"project": project, "release": release, "first_seen": first, "last_seen": NOW}
    mongo.releases.insert_one({"_id": f"{project}:{release}", **about})


def test_events_are_those_of_the_last_whole_hour_new_issues_and_regressions_those_of_a_day(
    mongo: Mongo, reader: FiguresReader
):
    ago = NOW - timedelta(days=2)
    old, new = made.issue("old"), made.issue("new", first_seen=NOW)
    merged = made.issue("merged", first_seen=NOW, state="merged")
    again = made.issue("again", regressed={"at": NOW, "release": ""})
    before = made.issue("before", regressed={"at": ago, "release": "r1"})
    foreign = made.issue("foreign", project="2", first_seen=NOW)
    undeclared = made.issue("undeclared", project="3", first_seen=NOW)
    mongo.issues.insert_many([old, new, merged, again, before, foreign, undeclared])
    last = NOW - timedelta(hours=1)
    hours = [(old, last, 7), (new, last, 5), (old, NOW, 90), (old, ago, 80), (foreign, last, 3)]
    mongo.hours.insert_many([made.hour(of, at, n, more=1) for of, at, n in hours])
    mongo.hours.insert_one(made.hour(undeclared, last, 99))
    found = reader.read(list(NAMES), NOW)
    assert found.events == {"1": 14, "2": 4}
    assert found.new == {"1": 1, "2": 1}
    assert found.regressed == {"1": 1}


def test_issues_by_state_with_those_that_were_ignored_until_now_and_without_merged_ones(
    mongo: Mongo, reader: FiguresReader
):
    over, later = ({"time": NOW + timedelta(hours=n)} for n in (-1, 1))
    mongo.issues.insert_many(
        [
            *(made.issue(f"u{n}") for n in range(4)),
            made.issue("done", state="resolved", handling={"at": NOW}),
            made.issue("over", state="ignored", handling=over),
            made.issue("quiet", state="ignored", handling=later),
            made.issue("part", state="merged", handling={"into": made.identity("u1")}),
        ]
    )
    found = {name: value for name, value in states(reader).items() if name[0] == "1"}
    assert found == {("1", "unresolved"): 5, ("1", "resolved"): 1, ("1", "ignored"): 1}


def states(reader: FiguresReader) -> dict[tuple[str, str], float]:
    return {
        (labels[0], labels[2]): value
        for name, labels, value in samples(reader.read(list(NAMES), NOW), NAMES)
        if name == "catchwater_project_issues"
    }


def test_releases_are_the_newest_with_their_events_of_two_months_and_their_new_issues(
    mongo: Mongo, reader: FiguresReader
):
    one, two = made.issue("a", first_release="shop@1.9"), made.issue("b", first_release="shop@1.9")
    other = made.issue("c", project="2", first_release="shop@1.9")
    mongo.issues.insert_many([one, two, other])
    this, last = NOW.replace(day=1), NOW.replace(day=1) - timedelta(days=1)
    early = last.replace(day=1) - timedelta(days=1)
    for n in range(1, 10):
        seen(mongo, "1", f"Shop@1.{n}", days=10 - n)
    seen(mongo, "2", "Shop@1.9", days=1)
    counts = {f"Shop@1.{n}": 10 * n for n in range(1, 10)}
    mongo.tags.insert_many(
        [
            made.tags(one, this, {"release": counts, "browser": {"Chrome": 9_000}}),
            made.tags(one, last, {"release": {"Shop@1.9": 5, "(other)": 9, "": 9}}),
            made.tags(two, early, {"release": {"Shop@1.9": 1_000}}),
            made.tags(other, this, {"release": {"Shop@1.9": 4}}),
        ]
    )
    found = reader.read(list(NAMES), NOW).releases
    assert found["1"][0] == Release("Shop@1.9", 95, 2)
    assert [each.name for each in found["1"]] == [f"Shop@1.{n}" for n in (9, 8, 7, 6, 5)]
    assert found["2"] == [Release("Shop@1.9", 4, 1)]


def test_nobody_makes_series_by_naming_releases(mongo: Mongo, reader: FiguresReader):
    """As many as are counted apart, each new a moment ago, beside one that is the shop's own."""
    mongo.issues.insert_one(one := made.issue("a"))
    named = [f"made up {n}" for n in range(160)]
    seen(mongo, "1", "real", days=3)
    for release in named:
        seen(mongo, "1", release, seconds=1)
    values = {"real": 500, "(other)": 100_000, **dict.fromkeys(named, 3)}
    mongo.tags.insert_one(made.tags(one, NOW, {"release": values}))
    assert reader.read(["1"], NOW).releases["1"] == []
    mongo.tags.update_one({}, {"$unset": {"values.release.(other)": ""}})
    assert [each.name for each in reader.read(["1"], NOW).releases["1"]] == ["real"]


def test_every_metric_has_its_labels_and_projects_without_anything_are_0(
    mongo: Mongo, reader: FiguresReader
):
    mongo.issues.insert_one(one := made.issue("a", project="2"))
    seen(mongo, "2", "r", days=1)
    mongo.tags.insert_one(made.tags(one, NOW, {"release": {"r": 3}}))
    found = list(samples(reader.read(list(NAMES), NOW), NAMES))
    assert {name for name, _, _ in found} == set(metrics.PROJECTS)
    assert all(len(labels) == len(metrics.PROJECTS[name][1]) for name, labels, _ in found)
    of_one = {(name, *labels[2:]): value for name, labels, value in found if labels[0] == "1"}
    assert len(of_one) == 6
    assert set(of_one.values()) == {0}


def test_only_so_many_projects_are_told_of(
    reader: FiguresReader, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
):
    mongo.issues.insert_one(made.issue("a"))
    monkeypatch.setattr("dashboard.project_gauges.PROJECTS", 3)
    named = {str(n): f"shop {n}" for n in range(10)}
    gauges = ProjectGauges(reader, lambda: named)
    gauges.look()
    projects = {one.labels["project"] for family in gauges.collect() for one in family.samples}
    assert projects == {"0", "1", "2"}
    assert project_figures.PROJECTS * (6 + 2 * RELEASES) < 1_000, "series at most"


class Gone(FiguresReader):
    """Its MongoDB can go away."""

    gone = False

    def read(self, projects: Sequence[str], at: datetime) -> project_figures.Figures:
        if self.gone:
            raise UnavailableError("away")
        return super().read(projects, at)


def test_there_is_no_figure_while_mongodb_is_away(mongo: Mongo, mongo_url: str):
    mongo.issues.insert_one(made.issue("a"))
    with closing(Gone(mongo_url)) as reader:
        gauges = ProjectGauges(reader, lambda: NAMES)
        gauges.look()
        assert list(gauges.collect())
        reader.gone = True
        with pytest.raises(UnavailableError):
            gauges.look()
        assert list(gauges.collect()) == []


def test_a_mongodb_that_is_away_is_called_so():
    with closing(FiguresReader(NOWHERE)) as reader, pytest.raises(UnavailableError):
        reader.read(["1"], NOW)


@pytest.mark.usefixtures("site")
def test_a_dashboard_shows_them_to_prometheus(mongo: Mongo, site: Site):
    """Read at its start; a hostile name is only a label."""
    wait_until(lambda: b"catchwater_project_events" in generate_latest(), "they are read", 60)
    assert 'name="Tea shop"' in generate_latest().decode()
    assert 'name="<i>Back</i> office"' in generate_latest().decode()
