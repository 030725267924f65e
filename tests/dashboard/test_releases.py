from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from catchwater.issues.facets import facet
from tests.dashboard import documents as made

if TYPE_CHECKING:
    from pymongo.database import Database

    from tests.dashboard.conftest import Site

    Mongo = Database[dict[str, Any]]

ONE, TWO = "shop/web@1.9.0", "shop/web@1.10.0"
ADDRESS = f"1/{made.quoted(TWO)}"


def release(name: str, **ago: float) -> dict[str, Any]:
    seen = {"first_seen": made.moment(**ago), "last_seen": made.moment()}
    return {"_id": f"1:{name}", "project": "1", "release": name, **seen}


def seen_in(name: str, *releases: str, **given: Any) -> dict[str, Any]:
    facets = [facet("release", one) for one in releases]
    return made.issue(name, first_release=releases[0].lower(), facets=facets, **given)


@pytest.fixture
def released(mongo: Mongo) -> None:
    again = {"at": made.moment(hours=1), "release": TWO}
    mongo.releases.insert_many([release(ONE, days=3), release(TWO, days=1)])
    mongo.issues.insert_many(
        [
            seen_in("old", ONE),
            seen_in("both", ONE, TWO),
            seen_in("again", ONE, TWO, regressed=again),
            seen_in("fresh", TWO, u={"1": 1, "2": 1, "3": 2}),
            seen_in("foreign", TWO, project="2"),
        ]
    )
    mongo.deploys.insert_many(
        [
            {"_id": str(at), "project": "1", "release": TWO, "environment": place, "at": at}
            for place, at in (("production", made.moment(hours=3)), ("", made.moment(days=4)))
        ]
    )


def titles(issues: list[dict[str, Any]]) -> list[str]:
    return [one["message"].split()[0] for one in issues]


@pytest.mark.usefixtures("released")
def test_a_release_shows_what_is_new_regressed_and_gone_each_a_search(site: Site):
    found = site.get(f"/api/releases/{ADDRESS}").json
    assert (found["release"], found["previous"], found["new"], found["users"]) == (TWO, ONE, 1, 3)
    expected = {"new": ["fresh"], "regressed": ["again"], "gone": ["old"]}
    assert {kind: titles(issues) for kind, issues in found["issues"].items()} == expected
    for kind, asked in found["searches"].items():
        assert titles(site.issues(q=asked)["issues"]) == expected[kind], "the link says the same"
    page = site.get(f"/releases/{ADDRESS}").text
    for kind in ("fresh", "again", "old"):
        assert f"{kind} is not a function" in page
    assert "both is not" not in page
    assert "Deployed to production" in page


@pytest.mark.usefixtures("released")
def test_releases_are_listed_newest_first_with_links_that_lead_to_them(site: Site):
    found = site.get("/api/releases?project=1").json["releases"]
    assert [(one["release"], one["new"]) for one in found] == [(TWO, 1), (ONE, 3)]
    assert [mark["environment"] for mark in found[0]["deploys"]] == ["production", ""]
    assert site.get("/api/releases?project=2").json["releases"] == []
    page = site.get("/releases").text
    assert f'href="/releases/{ADDRESS}"' in page
    assert site.get(f"/releases/{ADDRESS}").status == 200
    assert "No release has been seen" in site.get("/releases?project=2").text


@pytest.mark.usefixtures("released")
def test_charts_of_an_issue_are_marked_where_its_project_was_deployed(site: Site):
    identity = made.identity("fresh")
    found = site.get(f"/api/issues/{identity}").json["deploys"]
    assert [(one["environment"], one["release"]) for one in found] == [
        ("", TWO),
        ("production", TWO),
    ]
    label = f"{TWO} deployed to production at"
    for span, before in (("24h", 0), ("14d", 1), ("90d", 1)):
        page = site.get(f"/issues/{identity}?span={span}").text
        assert page.count(f"<title>{label}") == 1
        assert page.count(f"<title>{TWO} deployed at") == before, "four days ago"
        assert f"; {label}" in page, "for those who cannot see it"
        foreign = f"/issues/{made.identity('foreign', '2')}?span={span}"
        assert "deployed" not in site.get(foreign).text


def test_a_release_that_nobody_has_seen_is_named(site: Site):
    answer = site.get("/api/releases/1/none")
    assert (answer.status, "There is no release 'none'" in answer.json["error"]) == (404, True)
    assert site.get("/releases/1/none").status == 404
    assert site.get(f"/releases?project={'x' * 501}").status == 400
