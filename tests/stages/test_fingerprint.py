from __future__ import annotations

import orjson
import pytest

from catchwater.answers import Tally
from stages.counted_facts import page_of
from tests.stages.grouping_cases import CHROME_FACTS, NAMED_FIELDS, emitted, named

STACK = (
    "TypeError: x is null\n    at pay (https://shop.example/js/cart.3f2a1b.js:3:5)\n    at "
    "https://shop.example/:9:1"
)
REPORT = {
    "id": "0" * 32,
    "ts": 1_763_900_000_123,
    "type": "TypeError",
    "message": "x is null",
    "stack": STACK,
    "mechanism": "onerror",
    "page": "https://shop.example/orders/4711?utm=1",
    "referrer": "https://search.example/",
    "release": "1.2.3",
    "environment": "production",
    "level": "fatal",
    "user": {"id": 17},
    "tags": {"tenant": "acme", "beta": True},
    "extra": {"cart": {"$total": 3, "a.b": [1, 2]}},
    "breadcrumbs": [
        {"ts": 1_763_900_000_000, "kind": "click", "message": "button#pay", "data": {"x": 1}}
    ],
    "cause": [
        {
            "type": "RangeError",
            "message": "too few",
            "stack": "RangeError: too few\n    at f (https://x/a.js:1:2)",
        }
    ],
    "n": 3,
    "first_ts": 1_763_900_000_000,
    "sdk": "catchwater/1.2.0",
    "surprise": "kept out",
}


class TestASnippetsReport:
    def test_becomes_the_whole_named_event(self):
        whole = named("snippet", REPORT, **CHROME_FACTS)
        assert set(whole) == NAMED_FIELDS
        assert whole["frames"][0] == {
            "function": "pay",
            "file": "https://shop.example/js/cart.3f2a1b.js",
            "line": 3,
            "column": 5,
            "in_app": True,
        }
        assert (whole["type"], whole["message"], whole["culprit"]) == (
            "TypeError",
            "x is null",
            "pay (cart.js)",
        )
        assert (whole["level"], whole["n"], whole["ts"]) == ("fatal", 3, 1_763_900_000_123)
        assert (whole["browser"], whole["os"]) == ("Chrome 156", "Windows 10")
        assert whole["chain"][0]["type"] == "RangeError"
        assert whole["chain"][0]["frames"][0]["function"] == "f"
        assert whole["tags"] == {"tenant": "acme", "beta": "true"}
        assert whole["extra"] == REPORT["extra"]
        assert whole["cut"] == []

    def test_leaves_the_facts_that_count_needs(self):
        event = emitted("snippet", REPORT, **CHROME_FACTS)
        assert (event.kind, event.id) == ("named", "0" * 32)
        assert event.facts["issue"] == f"1:{event.json['fingerprint']}"
        assert event.facts["user"] == "id:17"
        assert event.facts["tags"] == {
            "browser": "Chrome 156",
            "os": "Windows 10",
            "release": "1.2.3",
            "environment": "production",
            "page": "/orders/*",
            "tenant": "acme",
            "beta": "true",
        }
        assert event.facts["about"] == {
            "type": "TypeError",
            "message": "x is null",
            "culprit": "pay (cart.js)",
            "places": "pay (js/cart.js)\n(/)",
            "level": "fatal",
        }
        assert Tally(**event.facts).n == 3

    def test_a_page_s_own_tags_neither_hide_ours_nor_grow_without_bound(self):
        own = {"browser": "mine", "a\tb": "x", "k" * 80: "v" * 150} | {
            f"t{n}": "y" for n in range(20)
        }
        tags = emitted("snippet", {**REPORT, "tags": own}, **CHROME_FACTS).facts["tags"]
        assert tags["browser"] == "Chrome 156"
        assert tags["a b"] == "x"
        assert tags["k" * 50] == "v" * 100
        assert len(tags) == 5 + 9

    def test_the_snippet_s_context_is_kept_in_extra(self):
        told = named("snippet", {**REPORT, "context": {"viewport": "1280x900", "age": 12}})
        assert told["extra"] == {**REPORT["extra"], "context": {"viewport": "1280x900", "age": 12}}
        assert named("snippet", {**REPORT, "context": 7})["extra"] == {
            **REPORT["extra"],
            "context": 7,
        }

    def test_a_device_is_told_by_its_model(self):
        phone = (
            "Mozilla/5.0 (Linux; Android 13; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/156.0.0.0"
        )
        assert emitted("snippet", REPORT, user_agent=phone).facts["tags"]["device"] == "Pixel 7"
        hidden = emitted(
            "snippet", REPORT, user_agent=phone.replace("Pixel 7", "K").replace("13", "10")
        )
        assert hidden.facts["tags"]["device"] == "Android"

    def test_has_a_fingerprint_that_carries_its_version(self):
        whole = named("snippet", REPORT)
        assert whole["fingerprint"].startswith("v1:")
        assert len(whole["fingerprint"]) == 35
        assert whole["fingerprints"] == {"v1": whole["fingerprint"]}

    def test_without_a_stack_stands_where_onerror_said(self):
        whole = named(
            "snippet",
            {"message": "boom", "source": "https://shop.example/a.js", "line": 3, "column": 9},
        )
        assert [(frame["file"], frame["line"]) for frame in whole["frames"]] == [
            ("https://shop.example/a.js", 3)
        ]

    def test_with_a_stack_does_not_believe_onerror(self):
        lying = {**REPORT, "source": "https://shop.example/", "line": 1, "column": 6}
        assert named("snippet", lying)["fingerprint"] == named("snippet", REPORT)["fingerprint"]

    def test_of_a_missing_resource_is_named_by_its_address(self):
        one, other, third = (
            {
                "mechanism": "resource",
                "type": "img",
                "message": "could not load",
                "source": f"https://cdn.example/{name}",
            }
            for name in ("logo.3f2a1b.png?v=1", "logo.77aa01.png?v=2", "cart.png")
        )
        assert named("snippet", one)["fingerprint"] == named("snippet", other)["fingerprint"]
        assert named("snippet", one)["fingerprint"] != named("snippet", third)["fingerprint"]

    def test_of_a_message_is_named_by_its_text_without_values(self):
        first, second = (
            {"mechanism": "manual", "message": f"cart {n} is empty"} for n in (17, 4711)
        )
        assert named("snippet", first)["fingerprint"] == named("snippet", second)["fingerprint"]
        assert named("snippet", first)["type"] == "Message"

    def test_with_nothing_in_it_has_a_name_too(self):
        assert named("snippet", {})["type"] == "Error"


class TestABrowsersReport:
    @pytest.mark.parametrize(
        ("report", "expected"),
        [
            (
                {"type": "deprecation", "body": {"id": "WebSQL", "message": "gone"}},
                ("Deprecation", "gone", "warning"),
            ),
            (
                {"type": "intervention", "body": {"id": "Vibrate", "message": "no"}},
                ("Intervention", "no", "warning"),
            ),
            ({"type": "crash", "body": {"reason": "oom"}}, ("Crash", "oom", "fatal")),
            ({"type": "crash", "body": {}}, ("Crash", "no reason given", "fatal")),
            (
                {
                    "type": "csp-violation",
                    "body": {"effectiveDirective": "img-src", "blockedURL": "https://e.example/x"},
                },
                ("CSPViolation", "img-src blocked https://e.example", "error"),
            ),
        ],
    )
    def test_has_a_sensible_name(self, report, expected):
        whole = named("report", report)
        assert (whole["type"], whole["message"], whole["level"]) == expected

    @pytest.mark.parametrize(
        ("kind", "first", "second", "same"),
        [
            ("deprecation", {"id": "a", "message": "x"}, {"id": "a", "message": "y"}, True),
            ("deprecation", {"id": "a"}, {"id": "b"}, False),
            ("crash", {"reason": "oom"}, {"reason": "unresponsive"}, False),
            (
                "csp-violation",
                _ := {"effectiveDirective": "img-src", "blockedURL": "https://e/a"},
                {**_, "blockedURL": "https://e/b"},
                True,
            ),
            ("csp-violation", _, {**_, "blockedURL": "https://f/a"}, False),
            ("csp-violation", _, {**_, "effectiveDirective": "font-src"}, False),
        ],
    )
    def test_is_grouped_by_what_it_is_about(self, kind, first, second, same):
        names = [
            named("report", {"type": kind, "body": body})["fingerprint"] for body in (first, second)
        ]
        assert (names[0] == names[1]) == same


class TestWhoWasAffected:
    @pytest.mark.parametrize(
        ("user", "expected"),
        [
            ({"id": "17", "email": "a@b.c"}, "id:17"),
            ({"email": "a@b.c"}, "email:a@b.c"),
            ({"username": "jane"}, "username:jane"),
            ({"ip_address": "198.51.100.1"}, "ip_address:198.51.100.1"),
        ],
    )
    def test_is_what_the_page_said(self, user, expected):
        assert emitted("snippet", {"user": user}, **CHROME_FACTS).facts["user"] == expected

    def test_is_a_hash_for_a_visitor_without_a_name(self):
        event = emitted("snippet", {"user": {"ip_address": "{{auto}}"}}, **CHROME_FACTS)
        assert event.facts["user"].startswith("visitor:")
        assert emitted("snippet", {}, **CHROME_FACTS).facts["user"] == event.facts["user"]
        assert (
            emitted("snippet", {}, **{**CHROME_FACTS, "ip": "203.0.113.8"}).facts["user"]
            != event.facts["user"]
        )

    def test_is_unknown_without_an_address(self):
        assert emitted("snippet", {}, user_agent=CHROME_FACTS["user_agent"]).facts["user"] == ""

    def test_never_puts_the_address_into_what_is_stored(self):
        event = emitted("snippet", REPORT, **CHROME_FACTS)
        assert CHROME_FACTS["ip"].encode() not in event.body + orjson.dumps(event.facts)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("", ""),
        ("https://shop.example", "/"),
        ("https://shop.example/orders/4711?x=1#top", "/orders/*"),
        ("https://shop.example/cart/2eb7d3ba-4d15-4f9d-9a8f-b1ddf7f94b93/pay", "/cart/*/pay"),
        ("https://shop.example/about.html", "/about.html"),
    ],
)
def test_pages_are_counted_by_template(page, expected):
    assert page_of(page) == expected


def test_the_same_event_gets_the_same_answer():
    assert emitted("snippet", REPORT, **CHROME_FACTS) == emitted("snippet", REPORT, **CHROME_FACTS)


@pytest.mark.parametrize(
    "private", ["4111 1111 1111 1111", "jane.doe@shop.example", "AKIAIOSFODNN7EXAMPLE"]
)
@pytest.mark.parametrize("part", range(4, 18, 3))
def test_nothing_private_stays_because_a_text_was_cut_in_the_middle_of_it(private, part):
    """Texts are cut before they are cleaned: half an address is not recognised as one."""
    long = "x " * 4096
    message = long[: 8192 - part - 1] + " " + private
    crumb = (long[: 500 - part - 1] + " " + private, "")
    body = named(
        "snippet",
        {"type": "Error", "message": message, "breadcrumbs": [{"message": crumb[0]}]},
    )
    said = body["message"] + body["breadcrumbs"][0]["message"]
    assert private[: min(part, 4)] not in said
    assert "message" in body["cut"]


def test_the_type_of_an_error_is_cleaned_too():
    body = named("snippet", {"type": "Error for jane.doe@shop.example", "message": "x"})
    assert "jane.doe" not in body["type"]
