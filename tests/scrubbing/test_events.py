"""Nothing private leaves the fingerprint stage in what is stored, and nothing private is in
MongoDB.
"""

from __future__ import annotations

import json
import zlib

import orjson
import pymongo
import pytest

from catchwater.answers import Emit
from catchwater.event import Event
from stages.fingerprint import fingerprint
from stages.scrubbing.events import scrub
from tests.up_process import UpProcess
from tests.waiting import wait_until

SECRETS = (
    "jane@example.com",
    "4111 1111 1111 1111",
    "hunter2",
    "9f8e7d6c5b4a",
    "203.0.113.77",
    "s3ss10n",
    "k3y",
)
EVERYWHERE = " ".join(
    (SECRETS[0], f"card {SECRETS[1]}", "password=hunter2", "?token=9f8e7d6c5b4a", SECRETS[4])
)
REPORT = {
    "type": "Error",
    "message": f"failed for {EVERYWHERE}",
    "stack": "Error: failed\n    at pay (https://shop.example/a.js?token=9f8e7d6c5b4a:1:2)",
    "page": "https://jane%40example.com:hunter2@shop.example/u/jane@example.com?token=9f8e7d6c5b4a",
    "referrer": "https://shop.example/?password=hunter2",
    "user": {"id": "17", "email": "jane@example.com", "ip_address": "203.0.113.77"},
    "tags": {"who": "jane@example.com", "sessionId": "s3ss10n"},
    "extra": {
        "form": {"password": "hunter2", "list": [EVERYWHERE]},
        "headers": {"X-Api-Key": "k3y", "Cookie": "s3ss10n"},
    },
    "breadcrumbs": [
        {
            "kind": "fetch",
            "message": EVERYWHERE,
            "data": {"authorization": "hunter2", "url": EVERYWHERE},
        }
    ],
    "cause": [{"type": "TypeError", "message": EVERYWHERE, "stack": ""}],
}
SENTRY = {
    "exception": {"values": [{"type": "Error", "value": f"failed for {EVERYWHERE}"}]},
    "user": {"id": "17", "email": "jane@example.com", "ip_address": "203.0.113.77"},
    "request": {
        "url": REPORT["page"],
        "headers": {"Cookie": "s3ss10n", "Referer": EVERYWHERE},
        "cookies": "s3ss10n",
    },
    "extra": REPORT["extra"],
    "tags": [["who", "jane@example.com"]],
    "breadcrumbs": {"values": [{"message": EVERYWHERE, "data": {"authorization": "hunter2"}}]},
}
REPORTED = {
    "type": "deprecation",
    "url": REPORT["page"],
    "body": {"id": "x", "message": EVERYWHERE},
}


def survivors(data: bytes) -> list[str]:
    return [secret for secret in SECRETS if secret.encode() in data]


@pytest.mark.parametrize(
    ("kind", "body"), [("snippet", REPORT), ("sentry", SENTRY), ("report", REPORTED)]
)
def test_no_secret_is_in_a_named_event_or_its_title_and_tags(kind, body):
    assert survivors(json.dumps(body).encode())
    answer = fingerprint(
        Event("0" * 32, "1", 1_763_900_000_000, kind, orjson.dumps(body), {"ip": "203.0.113.77"})
    )
    assert isinstance(answer, Emit)
    assert survivors(answer.event.body) == []
    assert (
        survivors(orjson.dumps({name: answer.event.facts[name] for name in ("about", "tags")}))
        == []
    )
    assert answer.event.json["scrubbed"]["email"] >= 1


def test_the_name_is_not_changed_by_it_and_harmless_events_are_not_touched():
    plain = {
        "type": "TypeError",
        "message": "x is undefined",
        "stack": REPORT["stack"].replace("?token=9f8e7d6c5b4a", ""),
    }
    names = []
    for told in (plain, {**plain, "stack": REPORT["stack"], "user": {"email": "jane@example.com"}}):
        answer = fingerprint(Event("0" * 32, "1", 1_763_900_000_000, "snippet", orjson.dumps(told)))
        assert isinstance(answer, Emit)
        names.append(answer.event.json["fingerprint"])
        assert ("scrubbed" in answer.event.json) is (told is not plain)
    assert names[0] == names[1]


def test_what_is_scrubbed_twice_is_scrubbed_once():
    answer = fingerprint(Event("0" * 32, "1", 1_763_900_000_000, "snippet", orjson.dumps(REPORT)))
    assert isinstance(answer, Emit)
    event = answer.event.json
    again = json.loads(json.dumps(event))
    scrub(again)
    assert again == event


@pytest.mark.chaos
def test_no_secret_reaches_mongodb(tmp_path):
    with UpProcess(tmp_path) as up:
        assert up.post({"id": "a" * 32, **REPORT}) == 204
        wait_until(lambda: up.counted() == 1, "the issue is in MongoDB")
        with pymongo.MongoClient(up.ports["mongo_url"]) as client:
            database = client.catchwater
            wait_until(lambda: database.samples.count_documents({}) == 1, "the sample is stored")
            stored = {
                name: list(database[name].find()) for name in database.list_collection_names()
            }
    sample = zlib.decompress(stored["samples"][0]["event"])
    assert b"[email]" in sample
    assert survivors(sample + repr(stored).encode()) == []
