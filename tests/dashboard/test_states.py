from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.dashboard import documents as made

if TYPE_CHECKING:
    from pymongo.database import Database

    from tests.dashboard.conftest import Site

    Mongo = Database[dict[str, Any]]


def of(site: Site, **query: str) -> list[str]:
    return sorted(one["message"].split()[0] for one in site.issues(**query)["issues"])


@pytest.fixture
def handled(mongo: Mongo) -> None:
    ago, ahead = made.moment(hours=1), made.moment(hours=-1)
    mongo.issues.insert_many(
        [
            made.issue("plain"),
            made.issue("back", regressed={"at": ago, "release": "2.0.0"}),
            made.issue("done", state="resolved", handling={"at": ago, "in": "2.0.0"}),
            made.issue("quiet", state="ignored", handling={"at": ago, "time": ahead}),
            made.issue("over", state="ignored", handling={"at": ago, "time": ago}),
            made.issue(
                "part", state="merged", handling={"at": ago, "into": made.identity("plain")}
            ),
        ]
    )


@pytest.mark.usefixtures("handled")
@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("", ["back", "done", "over", "plain", "quiet"]),
        ("unresolved", ["back", "over", "plain"]),
        ("resolved", ["done"]),
        ("ignored", ["quiet"]),
    ],
)
def test_the_list_is_filtered_by_state_in_the_address_and_in_the_box(
    site: Site, state: str, expected: list[str]
):
    assert of(site, state=state) == expected
    assert of(site, q=f"is:{state} function") == expected if state else True
    page = site.get(f"/?state={state}").text
    assert [
        name
        for name in ("back", "done", "over", "plain", "quiet", "part")
        if f"{name} is not" in page
    ] == expected


@pytest.mark.usefixtures("handled")
def test_states_are_shown_in_the_list_and_on_the_issues_page(site: Site):
    page = site.get("/").text
    for state, times in (("resolved", 1), ("ignored", 1), ("regressed", 1)):
        assert page.count(f'<span class="level {state}">') == times
    found = {one["message"].split()[0]: one for one in site.issues()["issues"]}
    assert (found["done"]["state"], found["over"]["state"]) == ("resolved", "unresolved")
    assert found["back"]["regressed"]["release"] == "2.0.0"
    assert "in <code>2.0.0</code>" in site.get(f"/issues/{made.identity('done')}").text
    assert "seen again" in site.get(f"/issues/{made.identity('back')}").text
    assert "until 20" in site.get(f"/issues/{made.identity('quiet')}").text


def test_an_issue_has_what_was_merged_into_it_and_notes_that_are_only_text(
    site: Site, mongo: Mongo
):
    part = made.issue("part", count=4, state="merged")
    one = made.issue("whole", count=7, absorbed={part["_id"]: 4})
    one["notes"] = [{"at": made.moment(), "text": "<b>see</b> 1204"}]
    mongo.issues.insert_many([one, part])
    mongo.hours.insert_many([made.hour(one, made.moment(), 3), made.hour(part, made.moment(), 4)])
    mongo.samples.insert_one(made.sample(part, "f" * 32, made.moment()))
    found = site.get(f"/api/issues/{one['_id']}").json
    assert (found["merged"], found["hours"][-1], found["days"][-1]) == ([part["_id"]], 7, 7)
    assert [sample["id"] for sample in found["samples"]] == ["f" * 32]
    assert site.issues()["issues"][0]["hours"][-1] == 7
    page = site.get(f"/issues/{one['_id']}").text
    assert "&lt;b&gt;see&lt;/b&gt; 1204" in page
    assert f'href="/issues/{made.quoted(part["_id"])}"' in page
    assert "part is not a function</bdi></a> in <bdi>app.js in pay</bdi>, which was merged" in page
    assert f"<code>{part['_id']}</code>" in page, "what it is also called"
    assert found["names"] == [part["_id"]]
    told = {"id": part["_id"], "type": "TypeError", "late": None}
    assert told.items() <= found["called"][0].items()


def test_an_issue_says_that_its_source_map_came_late(site: Site, mongo: Mongo):
    at = made.moment(hours=2)
    part = made.issue("part", state="merged", continued={"at": at, "into": "x"})
    one = made.issue("whole", absorbed={part["_id"]: 4})
    mongo.issues.insert_many([one, part])
    shown = {"frames": [{"function": "total", "file": "src/cart.ts", "line": 4}], "culprit": "c"}
    late = {"at": at, "issue": one["_id"], "event": zlib.compress(orjson.dumps(shown))}
    mongo.samples.insert_one(made.sample(part, "f" * 32, made.moment()) | {"late": late})
    found = site.get(f"/api/issues/{one['_id']}").json
    assert (found["called"][0]["late"], found["newest"]["late"]) == (made.iso(at),) * 2
    assert [frame["function"] for frame in found["newest"]["frames"]] == ["total"]
    page = site.get(f"/issues/{one['_id']}").text
    assert "as it was called before its source map was uploaded" in page
    for shown in (page, site.get(f"/events/{'f' * 32}").text):
        assert "after this sample was stored" in shown
        assert "src/cart.ts:4" in shown
    assert "https://shop.example/app.js" in site.get(f"/events/{'f' * 32}").text, "as stored"


def test_a_damaged_second_look_leaves_the_first_one(site: Site, mongo: Mongo):
    one = made.issue("whole")
    mongo.issues.insert_one(one)
    for number, late in enumerate(({"event": b"x"}, {"event": 7}, 7, {})):
        sample = made.sample(one, f"{number:032x}", made.moment()) | {"late": late}
        mongo.samples.insert_one(sample)
        found = site.get(f"/api/events/{number:032x}").json
        assert ("late" in found, found["frames"][0]["function"]) == (False, "pay")


@pytest.mark.parametrize("state", ["merged", "done"])
def test_a_state_that_there_is_not_is_named(site: Site, state: str):
    answer = site.get(f"/api/issues?state={state}")
    assert (answer.status, "use one of unresolved, resolved, ignored" in answer.text) == (400, True)
    assert site.get(f"/api/issues?q=is:{state}").status == 400
