from __future__ import annotations

import zlib
from datetime import UTC, datetime

import orjson
import pytest

from catchwater.event import Event
from catchwater.streams.counters import escape_key, unescape_key
from catchwater.streams.hyperloglog import digest
from sink.fold import Writes, fold


def tally(n, *, generation=1, first=1_700_000_000_000, last=1_700_000_001_000, **values):
    body = {
        "tag": "p0",
        "life": "abcd1234",
        "issues": {
            "1:v1:a": {
                "first": first,
                "last": last,
                "about": '{"type":"TypeError"}',
                "users": {"7": 2, "9": 1},
            }
        },
        "buckets": [
            {"name": "202311", "generation": generation, "values": {"events\t1:v1:a": n} | values},
            {
                "name": "2023111422",
                "generation": "1",
                "values": {"events\t1:v1:a": n, "more\t1:v1:a": 3},
            },
        ],
    }
    return Event("-", "", 0, "tally", orjson.dumps(body))


def folded(*events):
    writes = Writes()
    for event in events:
        fold(writes, event)
    return writes


def test_a_tally_becomes_one_update_of_the_issue_and_one_of_its_hour():
    writes = folded(tally(5))
    issue, hour = writes.issues["1:v1:a"], writes.hours["1:v1:a:2023111422"]
    assert issue.highest["parts.202311-p0-abcd1234-1"] == 5
    assert issue.highest["last_seen"] == datetime.fromtimestamp(1_700_000_001, UTC)
    assert issue.lowest["first_seen"] == datetime.fromtimestamp(1_700_000_000, UTC)
    assert issue.on_insert == {
        "type": "TypeError",
        "project": "1",
        "words": ["error", "typeerror"],
        "untold": {"new": True},
    }
    assert (issue.highest["u.7"], issue.highest["u.9"]) == (2, 1)
    assert hour.highest == {"parts.202311-p0-abcd1234-1": 5, "more.202311-p0-abcd1234-1": 3}
    assert hour.on_insert["hour"] == datetime(2023, 11, 14, 22, tzinfo=UTC)


def test_a_tag_with_its_value_is_a_facet_of_the_issue_in_lower_case():
    values = {
        "tag\t1:v1:a\tbrowser\tChrome 156": 4,
        "tag\t1:v1:a\tpage\t(other)": 2,
        "tag\t1:v1:a\t(other)\t(other)": 2,
    }
    assert folded(tally(1, **values)).issues["1:v1:a"].facets == {"browser\tchrome 156"}


def test_the_first_release_is_that_of_the_first_time_whatever_the_order():
    release = "tag\t1:v1:a\trelease\t"
    later = tally(1, first=1_700_000_000_000, **{f"{release}shop@1.0.0": 1})
    first = tally(
        1, first=1_600_000_000_000, **{f"{release}Shop@2.0.0": 1, f"{release}Shop@2.1": 1}
    )
    for events in ((first, later), (later, first, later)):
        assert folded(*events).issues["1:v1:a"].lowest["birth"] == "01600000000000shop@2.0.0"


def test_the_order_and_repetition_of_tallies_do_not_matter():
    a, b, c = tally(5), tally(7, last=1_700_000_009_000), tally(6, first=1_600_000_000_000)
    assert folded(a, b, c) == folded(c, b, a, a, c) == folded(b, c, a, b)


def test_a_new_generation_is_a_part_of_its_own():
    writes = folded(tally(5), tally(2, generation=2))
    parts = {
        path: n for path, n in writes.issues["1:v1:a"].highest.items() if path.startswith("parts")
    }
    assert parts == {"parts.202311-p0-abcd1234-1": 5, "parts.202311-p0-abcd1234-2": 2}


def test_a_tags_value_cannot_reach_beyond_its_field():
    writes = folded(tally(1, **{"tag\t1:v1:a\tpage\thttps://a.b/$c\td%": 4}))
    (path,) = writes.tags["1:v1:a:202311"].highest
    assert path == "values.page.https://a%2Eb/%24c\td%25.202311-p0-abcd1234-1"


def test_a_tags_name_cannot_either():
    writes = folded(tally(1, **{"tag\t1:v1:a\t$a.b\tx": 4, "tag\t1:v1:a\t\tx": 1}))
    assert set(writes.tags["1:v1:a:202311"].highest) == {
        "values.%24a%2Eb.x.202311-p0-abcd1234-1",
        "values.%.x.202311-p0-abcd1234-1",
    }


@pytest.mark.parametrize(
    ("value", "safe"),
    [("a.b", "a%2Eb"), ("$x", "%24x"), ("\0", "%00"), ("100%", "100%25"), ("", "%")],
)
def test_a_value_is_escaped_so_that_it_can_be_told_back(value, safe):
    assert escape_key(value) == safe
    assert unescape_key(safe) == value


def test_a_sample_is_kept_whole_whatever_its_keys_are():
    body = b'{"extra":{"$where":1,"a.b":{"":[9007199254740993]}}}'
    event = Event("a" * 32, "1", 1_700_000_000_000, "named", body, {"issue": "1:v1:a"})
    sample = folded(event).samples["1", "a" * 32]
    assert zlib.decompress(sample["event"]) == body
    assert (sample["issue"], sample["project"]) == ("1:v1:a", "1")


def test_a_samples_user_is_a_digest_that_only_who_knows_the_name_can_look_for():
    event = Event("a" * 32, "1", 0, "named", b"{}", {"issue": "1:v1:a", "user": "id:u-81"})
    assert folded(event).samples["1", "a" * 32]["user"] == digest("id:u-81")
    nobody = Event("b" * 32, "1", 0, "named", b"{}", {"issue": "1:v1:a", "user": ""})
    assert "user" not in folded(nobody).samples["1", "b" * 32]


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"issues":{},"buckets":[{"name":"x"}]}', b'{"issues":7,"buckets":[]}']
)
def test_what_is_no_tally_raises_what_the_work_knows(body):
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        folded(Event("-", "", 0, "tally", body))
