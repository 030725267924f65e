from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import orjson

from tests.dashboard import documents as made

if TYPE_CHECKING:
    from pymongo.database import Database

    from tests.dashboard.conftest import Site

    Mongo = Database[dict[str, Any]]

ONE = made.issue("pay")
ID = "ab" * 16


def stored(mongo: Mongo, body: bytes) -> None:
    document = {
        "_id": ID,
        "issue": ONE["_id"],
        "project": "1",
        "received": made.moment(),
        "event": body,
    }
    mongo.samples.insert_one(document)


def test_a_sample_is_answered_whole_with_its_times_as_text(site: Site, mongo: Mongo):
    received = made.moment(minutes=9)
    mongo.samples.insert_one(made.sample(ONE, ID, received, first_ts=1_763_900_000_123, n=4))
    found = site.get(f"/api/events/{ID}").json
    expected = made.named(ONE, ID, received, n=4)
    expected["issue"] = ONE["_id"]
    expected["received"] = made.iso(received)
    expected["first_ts"] = "2025-11-23T12:13:20.123Z"
    crumb = found.pop("breadcrumbs")
    ts, wanted_ts = found.pop("ts"), expected.pop("ts")
    wanted_crumb = expected.pop("breadcrumbs")
    assert found == expected
    assert ts[:10] == made.iso(received)[:10]
    assert ts.endswith("Z")
    assert isinstance(wanted_ts, int)
    assert [one | {"ts": 0} for one in crumb] == [one | {"ts": 0} for one in wanted_crumb]
    assert crumb[0]["ts"].endswith("Z")


def test_a_client_s_impossible_times_stay_as_they_came(site: Site, mongo: Mongo):
    mongo.samples.insert_one(
        made.sample(ONE, ID, made.moment(), ts=1e30, first_ts="yesterday", breadcrumbs=[1, {}])
    )
    found = site.get(f"/api/events/{ID}").json
    assert found["ts"] == 1e30
    assert found["first_ts"] == "yesterday"
    assert found["breadcrumbs"] == [{"ts": None}]
    assert site.get(f"/events/{ID}").status == 200


def test_a_damaged_sample_says_so_and_harms_nothing_beside_it(site: Site, mongo: Mongo):
    mongo.issues.insert_one(ONE)
    stored(mongo, b"not zlib")
    mongo.samples.insert_one(made.sample(ONE, "cd" * 16, made.moment(hours=1)))
    assert "cannot be read" in site.get(f"/api/events/{ID}").json["message"]
    assert "cannot be read" in site.get(f"/events/{ID}").text
    assert len(site.get(f"/api/issues/{ONE['_id']}").json["samples"]) == 2


def test_a_thousand_levels_are_cut_and_not_a_failure(site: Site, mongo: Mongo):
    deep = b'{"extra":' + b'{"a":' * 900 + b"[1]" + b"}" * 900 + b"}"
    stored(mongo, zlib.compress(deep))
    answer = site.get(f"/api/events/{ID}")
    assert answer.status == 200
    assert b"(deeper levels are left out)" in answer.body
    assert site.get(f"/events/{ID}").status == 200


def test_a_sample_whose_every_field_has_the_wrong_type_is_still_shown(site: Site, mongo: Mongo):
    mongo.issues.insert_one(ONE)
    for i, odd in enumerate([[], {}, 7, "text", None, True, [[]], [{}], {"a": [1]}, 1.5]):
        wrong = made.named(ONE, ID, made.moment())
        mongo.samples.delete_many({})
        stored(mongo, zlib.compress(orjson.dumps(dict.fromkeys(wrong, odd))))
        for path in (
            f"/api/events/{ID}",
            f"/events/{ID}",
            f"/api/issues/{ONE['_id']}",
            f"/issues/{ONE['_id']}",
        ):
            assert site.get(path).status == 200, (i, odd, path)


def test_a_sample_that_is_no_object_is_an_empty_one(site: Site, mongo: Mongo):
    stored(mongo, zlib.compress(b"[1,2]"))
    assert site.get(f"/api/events/{ID}").json["id"] == ID
    assert site.get(f"/events/{ID}").status == 200


def test_samples_are_walked_from_one_to_the_next_even_when_they_came_at_the_same_moment(
    site: Site, mongo: Mongo
):
    at, later = made.moment(minutes=5), made.moment(minutes=1)
    order = ["05" * 16, "04" * 16, "03" * 16, "02" * 16, "01" * 16]
    for event, received in zip(order, [later, later, at, at, at], strict=True):
        mongo.samples.insert_one(made.sample(ONE, event, received))
    mongo.samples.insert_one(made.sample(made.issue("other"), "ff" * 16, made.moment(minutes=3)))
    walked, event = [], order[0]
    while event:
        walked.append(event)
        page = site.get(f"/events/{event}").text
        event = page.partition('rel="prev" href="/events/')[2][:32]
    assert walked == order
    page = site.get(f"/events/{order[2]}").text
    assert f'rel="next" href="/events/{order[1]}"' in page


def test_an_issue_is_markdown_at_its_address_with_md(site: Site, mongo: Mongo):
    mongo.issues.insert_one(ONE)
    mongo.samples.insert_one(made.sample(ONE, ID, made.moment()))
    found = site.get(f"/issues/{ONE['_id']}.md")
    assert (found.status, found.headers["content-type"]) == (200, "text/markdown; charset=utf-8")
    assert f"\n- Issue: `{ONE['_id']}`\n" in found.text
    assert "\n## Stack\n" in found.text
    assert f'href="/issues/{made.quoted(ONE["_id"])}.md"' in site.get(f"/issues/{ONE['_id']}").text
    assert site.get("/issues/1:v1:none.md").status == 404
