from __future__ import annotations

import pytest

from tests.stages.grouping_cases import CHROME_FACTS, emitted, named


class TestASentryEvent:
    def test_is_turned_innermost_first(self):
        frames = [
            {"function": name, "filename": "https://x/a.js", "lineno": 1, "in_app": True}
            for name in ("outer", "inner")
        ]
        whole = named(
            "sentry",
            {
                "exception": {
                    "values": [{"type": "E", "value": "m", "stacktrace": {"frames": frames}}]
                }
            },
        )
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
        one, other = (
            {"logentry": {"message": "no %s in cart", "formatted": f"no {name} in cart"}}
            for name in ("tea", "salt")
        )
        assert named("sentry", one)["fingerprint"] == named("sentry", other)["fingerprint"]
        assert named("sentry", one)["message"] == "no tea in cart"

    def test_with_a_template_and_a_stack_is_named_by_the_template_too(self):
        """`Sentry.fmt` with `attachStacktrace`: an exception without a type, and no `message`."""
        frames = {"frames": [{"function": "main", "filename": "https://x/a.js", "lineno": 1}]}
        one, other, plain = (
            {
                "logentry": {"message": "no %s in cart", "params": [name]},
                "exception": {"values": [{"value": f"no {name} in cart", "stacktrace": stack}]},
            }
            for name, stack in (("tea", frames), ("salt", frames), ("tea", {}))
        )
        shown = [named("sentry", told) for told in (one, other, plain)]
        assert len({told["fingerprint"] for told in shown}) == 1
        assert (shown[0]["type"], shown[0]["message"]) == ("Message", "no tea in cart")
        assert [frame["function"] for frame in shown[0]["frames"]] == ["main"]

    def test_takes_page_browser_and_user_from_where_the_sdk_puts_them(self):
        told = {
            "request": {
                "url": "https://shop.example/cart",
                "headers": {
                    "User-Agent": CHROME_FACTS["user_agent"],
                    "Referer": "https://s.example",
                },
            },
            "user": {"email": "jane@shop.example"},
            "tags": [["tenant", "acme"]],
            "sdk": {"name": "sentry.javascript.browser", "version": "11.12.0"},
            "timestamp": 1_763_900_000.5,
        }
        event = emitted("sentry", told, ip="203.0.113.7")
        whole = event.json
        assert (whole["page"], whole["referrer"]) == (
            "https://shop.example/cart",
            "https://s.example",
        )
        assert (whole["browser"], whole["tags"]) == ("Chrome 156", {"tenant": "acme"})
        assert (whole["sdk"], whole["ts"]) == (
            "sentry.javascript.browser/11.12.0",
            1_763_900_000_500,
        )
        assert event.facts["user"] == "email:jane@shop.example"

    @pytest.mark.parametrize(
        "shape",
        [
            dict,
            lambda pairs: {name.lower(): [value, "another"] for name, value in pairs},
            lambda pairs: [list(pair) for pair in pairs],
            lambda pairs: [{"name": name, "value": value} for name, value in pairs],
            lambda pairs: [None, 7, ["alone"], [7, 7], {}, *(list(pair) for pair in pairs)],
        ],
        ids=["object", "lists of values", "pairs", "names and values", "among nonsense"],
    )
    def test_has_its_request_s_headers_in_whatever_shape(self, shape):
        address = f"https://s.example/{'x' * 1000}"
        pairs = [("User-Agent", CHROME_FACTS["user_agent"]), ("Referer", address)]
        told = {"message": "x", "request": {"headers": shape(pairs)}}
        whole = emitted("sentry", told, user_agent="").json
        assert (whole["browser"], whole["referrer"]) == ("Chrome 156", address)

    @pytest.mark.parametrize("asked", [["a"], ["a", "{{ default }}"], ["{{default}}", "b"]])
    def test_with_its_own_fingerprint_gets_another_name(self, asked):
        event = {"message": "x"}
        assert (
            named("sentry", {**event, "fingerprint": asked})["fingerprint"]
            != named("sentry", event)["fingerprint"]
        )

    def test_whose_own_fingerprint_is_the_default_keeps_its_name(self):
        event = {"message": "x"}
        assert (
            named("sentry", {**event, "fingerprint": ["{{ default }}"]})["fingerprint"]
            == named("sentry", event)["fingerprint"]
        )

    def test_whose_own_fingerprint_holds_no_default_is_named_by_that_alone(self):
        one, other = ({"message": text, "fingerprint": ["checkout"]} for text in ("x", "y"))
        assert named("sentry", one)["fingerprint"] == named("sentry", other)["fingerprint"]
