from __future__ import annotations

import orjson
import pytest
from catchwater.answers import Emit, Reject, Tally
from catchwater.event import Event
from hypothesis import given, settings
from hypothesis import strategies as st
from stages.fingerprint import fingerprint, page_of
from stages.naming import bounds
from tests.stages.naming_cases import emitted, events, named

STACK = "TypeError: x is null\n    at pay (https://shop.example/js/cart.3f2a1b.js:3:5)\n    at https://shop.example/:9:1"
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
    "breadcrumbs": [{"ts": 1_763_900_000_000, "kind": "click", "message": "button#pay", "data": {"x": 1}}],
    "cause": [{"type": "RangeError", "message": "too few", "stack": "RangeError: too few\n    at f (https://x/a.js:1:2)"}],
    "n": 3,
    "first_ts": 1_763_900_000_000,
    "sdk": "catchwater/1.2.0",
    "surprise": "kept out",
}
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
FACTS = {"user_agent": CHROME, "origin": "https://shop.example", "ip": "203.0.113.7"}
FIELDS = {
    "id", "project", "received", "ts", "kind", "fingerprint", "fingerprints", "type", "message", "culprit", "level",
    "mechanism", "frames", "chain", "page", "referrer", "release", "environment", "user", "tags", "extra", "breadcrumbs",
    "browser", "os", "user_agent", "n", "first_ts", "sdk", "cut", "used", "ignored",
}  # fmt: skip


class TestASnippetsReport:
    def test_becomes_the_whole_named_event(self):
        whole = named("snippet", REPORT, **FACTS)
        assert set(whole) == FIELDS
        assert whole["frames"][0] == {
            "function": "pay", "file": "https://shop.example/js/cart.3f2a1b.js", "line": 3, "column": 5, "in_app": True,
        }  # fmt: skip
        assert (whole["type"], whole["message"], whole["culprit"]) == ("TypeError", "x is null", "pay (cart.js)")
        assert (whole["level"], whole["n"], whole["ts"]) == ("fatal", 3, 1_763_900_000_123)
        assert (whole["browser"], whole["os"]) == ("Chrome 156", "Windows 10")
        assert whole["chain"][0]["type"] == "RangeError"
        assert whole["chain"][0]["frames"][0]["function"] == "f"
        assert whole["tags"] == {"tenant": "acme", "beta": "true"}
        assert whole["extra"] == REPORT["extra"]
        assert whole["cut"] == []

    def test_leaves_the_facts_that_count_needs(self):
        event = emitted("snippet", REPORT, **FACTS)
        assert (event.kind, event.id) == ("named", "0" * 32)
        assert event.facts["issue"] == f"1:{event.json['fingerprint']}"
        assert event.facts["user"] == "id:17"
        assert event.facts["tags"] == {
            "browser": "Chrome 156", "os": "Windows 10", "release": "1.2.3", "page": "/orders/*",
        }  # fmt: skip
        assert event.facts["about"] == {
            "type": "TypeError", "message": "x is null", "culprit": "pay (cart.js)", "level": "fatal",
        }  # fmt: skip
        assert Tally(**event.facts).n == 3

    def test_has_a_fingerprint_that_carries_its_version(self):
        whole = named("snippet", REPORT)
        assert whole["fingerprint"].startswith("v1:")
        assert len(whole["fingerprint"]) == 35
        assert whole["fingerprints"] == {"v1": whole["fingerprint"]}

    def test_without_a_stack_stands_where_onerror_said(self):
        whole = named("snippet", {"message": "boom", "source": "https://shop.example/a.js", "line": 3, "column": 9})
        assert [(frame["file"], frame["line"]) for frame in whole["frames"]] == [("https://shop.example/a.js", 3)]

    def test_with_a_stack_does_not_believe_onerror(self):
        lying = {**REPORT, "source": "https://shop.example/", "line": 1, "column": 6}
        assert named("snippet", lying)["fingerprint"] == named("snippet", REPORT)["fingerprint"]

    def test_of_a_missing_resource_is_named_by_its_address(self):
        one, other, third = (
            {"mechanism": "resource", "type": "img", "message": "could not load", "source": f"https://cdn.example/{name}"}
            for name in ("logo.3f2a1b.png?v=1", "logo.77aa01.png?v=2", "cart.png")
        )
        assert named("snippet", one)["fingerprint"] == named("snippet", other)["fingerprint"]
        assert named("snippet", one)["fingerprint"] != named("snippet", third)["fingerprint"]

    def test_of_a_message_is_named_by_its_text_without_values(self):
        first, second = ({"mechanism": "manual", "message": f"cart {n} is empty"} for n in (17, 4711))
        assert named("snippet", first)["fingerprint"] == named("snippet", second)["fingerprint"]
        assert named("snippet", first)["type"] == "Message"

    def test_with_nothing_in_it_has_a_name_too(self):
        assert named("snippet", {})["type"] == "Error"


class TestASentryEvent:
    def test_is_turned_innermost_first(self):
        frames = [{"function": name, "filename": "https://x/a.js", "lineno": 1, "in_app": True} for name in ("outer", "inner")]
        whole = named("sentry", {"exception": {"values": [{"type": "E", "value": "m", "stacktrace": {"frames": frames}}]}})
        assert [frame["function"] for frame in whole["frames"]] == ["inner", "outer"]
        assert whole["culprit"] == "inner (a.js)"

    def test_keeps_its_causes_nearest_first(self):
        values = [{"type": kind, "value": kind} for kind in ("Root", "Middle", "Outer")]
        whole = named("sentry", {"exception": {"values": values}})
        assert whole["type"] == "Outer"
        assert [one["type"] for one in whole["chain"]] == ["Middle", "Root"]

    def test_captured_as_a_message_has_one_name_in_every_version_of_the_sdk(self):
        old = {"message": "cart is empty", "level": "info"}
        frames = {"frames": [{"function": "main", "filename": "https://x/a.js", "lineno": 1}]}
        new = {**old, "exception": {"values": [{"value": "cart is empty", "stacktrace": frames}]}}
        logged = {"logentry": {"formatted": "cart is empty"}}
        assert len({named("sentry", one)["fingerprint"] for one in (old, new, logged)}) == 1
        assert named("sentry", old)["level"] == "info"

    def test_with_a_template_is_named_by_that(self):
        one, other = ({"logentry": {"message": "no %s in cart", "formatted": f"no {name} in cart"}} for name in ("tea", "salt"))
        assert named("sentry", one)["fingerprint"] == named("sentry", other)["fingerprint"]
        assert named("sentry", one)["message"] == "no tea in cart"

    def test_takes_page_browser_and_user_from_where_the_sdk_puts_them(self):
        told = {
            "request": {"url": "https://shop.example/cart", "headers": {"User-Agent": CHROME, "Referer": "https://s.example"}},
            "user": {"email": "jane@shop.example"},
            "tags": [["tenant", "acme"]],
            "sdk": {"name": "sentry.javascript.browser", "version": "11.12.0"},
            "timestamp": 1_763_900_000.5,
        }
        event = emitted("sentry", told, ip="203.0.113.7")
        whole = event.json
        assert (whole["page"], whole["referrer"]) == ("https://shop.example/cart", "https://s.example")
        assert (whole["browser"], whole["tags"]) == ("Chrome 156", {"tenant": "acme"})
        assert (whole["sdk"], whole["ts"]) == ("sentry.javascript.browser/11.12.0", 1_763_900_000_500)
        assert event.facts["user"] == "email:jane@shop.example"

    @pytest.mark.parametrize("asked", [["a"], ["a", "{{ default }}"], ["{{default}}", "b"]])
    def test_with_its_own_fingerprint_gets_another_name(self, asked):
        event = {"message": "x"}
        assert named("sentry", {**event, "fingerprint": asked})["fingerprint"] != named("sentry", event)["fingerprint"]

    def test_whose_own_fingerprint_is_the_default_keeps_its_name(self):
        event = {"message": "x"}
        assert named("sentry", {**event, "fingerprint": ["{{ default }}"]})["fingerprint"] == named("sentry", event)["fingerprint"]

    def test_whose_own_fingerprint_holds_no_default_is_named_by_that_alone(self):
        one, other = ({"message": text, "fingerprint": ["checkout"]} for text in ("x", "y"))
        assert named("sentry", one)["fingerprint"] == named("sentry", other)["fingerprint"]


class TestABrowsersReport:
    @pytest.mark.parametrize(
        ("report", "expected"),
        [
            ({"type": "deprecation", "body": {"id": "WebSQL", "message": "gone"}}, ("Deprecation", "gone", "warning")),
            ({"type": "intervention", "body": {"id": "Vibrate", "message": "no"}}, ("Intervention", "no", "warning")),
            ({"type": "crash", "body": {"reason": "oom"}}, ("Crash", "oom", "fatal")),
            ({"type": "crash", "body": {}}, ("Crash", "no reason given", "fatal")),
            (
                {"type": "csp-violation", "body": {"effectiveDirective": "img-src", "blockedURL": "https://e.example/x"}},
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
            ("csp-violation", _ := {"effectiveDirective": "img-src", "blockedURL": "https://e/a"}, {**_, "blockedURL": "https://e/b"}, True),
            ("csp-violation", _, {**_, "blockedURL": "https://f/a"}, False),
            ("csp-violation", _, {**_, "effectiveDirective": "font-src"}, False),
        ],
    )
    def test_is_grouped_by_what_it_is_about(self, kind, first, second, same):
        names = [named("report", {"type": kind, "body": body})["fingerprint"] for body in (first, second)]
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
        assert emitted("snippet", {"user": user}, **FACTS).facts["user"] == expected

    def test_is_a_hash_for_a_visitor_without_a_name(self):
        event = emitted("snippet", {"user": {"ip_address": "{{auto}}"}}, **FACTS)
        assert event.facts["user"].startswith("visitor:")
        assert emitted("snippet", {}, **FACTS).facts["user"] == event.facts["user"]
        assert emitted("snippet", {}, **{**FACTS, "ip": "203.0.113.8"}).facts["user"] != event.facts["user"]

    def test_is_unknown_without_an_address(self):
        assert emitted("snippet", {}, user_agent=CHROME).facts["user"] == ""

    def test_never_puts_the_address_into_what_is_stored(self):
        event = emitted("snippet", REPORT, **FACTS)
        assert FACTS["ip"].encode() not in event.body + orjson.dumps(event.facts)


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


class TestBadData:
    @pytest.mark.parametrize("body", [b"[]", b"null", b"17", b'"x"', b"{", b"\xff"])
    def test_that_is_no_object_is_rejected_with_a_reason(self, body):
        for kind in ("snippet", "sentry", "report", "csp"):
            answer = fingerprint(Event("0" * 32, "1", 0, kind, body))
            assert isinstance(answer, Reject)
            assert kind in answer.why

    def test_of_an_unknown_kind_is_rejected(self):
        assert isinstance(fingerprint(Event("0" * 32, "1", 0, "tally", b"{}")), Reject)

    @pytest.mark.parametrize("kind", ["snippet", "sentry", "report", "csp"])
    @pytest.mark.parametrize("value", [None, 0, -1.5, 10**18, True, "x", "", [], [1], [[]], {}, {"a": 1}, [{"values": 1}]])
    def test_of_a_wrong_type_in_every_field_is_normalised(self, kind, value):
        fields = set(REPORT) | {key for _, body in events() for key in body} | {"csp-report", "fingerprint", "source"}
        assert set(named(kind, dict.fromkeys(fields, value), **FACTS)) == FIELDS
        inside = {"values": [{"type": value, "value": value, "mechanism": value, "stacktrace": {"frames": [value, {"function": value}]}}]}
        named(kind, {"exception": inside, "breadcrumbs": {"values": [{"data": value}]}, "request": {"headers": value}})

    @pytest.mark.parametrize("kind", ["snippet", "sentry", "report", "csp"])
    def test_that_is_huge_is_cut_and_says_so(self, kind):
        huge = "é" * 300_000
        body = {
            "type": huge, "message": huge, "stack": huge, "page": huge, "release": huge, "user": {"id": huge},
            "tags": {f"t{n}{huge[:3000]}": huge[:3000] for n in range(300)}, "extra": {"a": huge, "b": [[huge[:3000]] * 30] * 30},
            "breadcrumbs": [{"message": huge[:5000], "data": {"x": huge[:5000]}}] * 500,
            "cause": [{"message": huge[:50_000], "stack": "    at f (https://x/" + huge[:3000] + ":1:1)\n"}] * 50,
            "body": {"message": huge, "id": huge}, "fingerprint": [huge] * 50,
            "exception": {"values": [{"type": huge, "value": huge, "stacktrace": {"frames": [{"function": huge[:9000], "filename": huge[:9000]}] * 300}}] * 12},
        }  # fmt: skip
        event = emitted(kind, body, **FACTS)
        assert len(event.body) <= bounds.BODY
        assert event.json["cut"]
        assert len(orjson.dumps(event.facts)) < 8000

    def test_with_hundreds_of_frames_keeps_250(self):
        stack = "\n".join(f"    at f{n} (https://x/a.js:{n}:1)" for n in range(1, 400))
        whole = named("snippet", {"stack": stack, "message": "x"})
        assert (len(whole["frames"]), whole["cut"]) == (250, ["stack"])

    def test_nested_deeper_than_anyone_needs_is_cut(self):
        whole = named("snippet", b'{"extra": ' + b'{"a":' * 1000 + b"1" + b"}" * 1000 + b"}")
        assert whole["cut"] == ["extra"]

    def test_with_dollars_dots_and_nul_goes_through(self):
        odd = {"$where": "\0", "a.b": {"$c": "x\0y"}, "": 1}
        assert named("snippet", {"extra": odd, "message": "a\0b", "tags": {"$a.b": "\0"}})["extra"] == odd

    JSON = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(REPORT)) | st.text(max_size=8), inner, max_size=6),
        max_leaves=25,
    )  # fmt: skip

    @settings(max_examples=400, deadline=None)
    @given(
        st.sampled_from(["snippet", "sentry", "report", "csp"]),
        st.dictionaries(st.sampled_from([*REPORT, "exception", "body", "csp-report", "request", "contexts", "sdk", "logentry"]), JSON, max_size=8),
    )
    def test_of_any_shape_never_makes_it_raise(self, kind, body):
        assert isinstance(fingerprint(Event("0" * 32, "1", 0, kind, orjson.dumps(body), FACTS)), Emit)


def test_the_same_event_gets_the_same_answer():
    assert emitted("snippet", REPORT, **FACTS) == emitted("snippet", REPORT, **FACTS)
