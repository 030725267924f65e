from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catchwater.answers import Emit, Reject
from catchwater.event import Event
from stages.fingerprint import fingerprint
from stages.grouping import fields
from tests.stages.grouping_cases import (
    CHROME_FACTS,
    NAMED_FIELDS,
    SNIPPET_FIELDS,
    emitted,
    events,
    named,
)


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
    @pytest.mark.parametrize(
        "value",
        [None, 0, -1.5, 10**18, True, "x", "", [], [1], [[]], {}, {"a": 1}, [{"values": 1}]],
    )
    def test_of_a_wrong_type_in_every_field_is_normalised(self, kind, value):
        fields = (
            set(SNIPPET_FIELDS)
            | {key for _, body in events() for key in body}
            | {"csp-report", "fingerprint", "source"}
        )
        assert set(named(kind, dict.fromkeys(fields, value), **CHROME_FACTS)) == NAMED_FIELDS
        inside = {
            "values": [
                {
                    "type": value,
                    "value": value,
                    "mechanism": value,
                    "stacktrace": {"frames": [value, {"function": value}]},
                }
            ]
        }
        named(
            kind,
            {
                "exception": inside,
                "breadcrumbs": {"values": [{"data": value}]},
                "request": {"headers": value},
            },
        )

    @pytest.mark.parametrize("kind", ["snippet", "sentry", "report", "csp"])
    def test_that_is_huge_is_cut_and_says_so(self, kind):
        huge = "é" * 300_000
        body = {
            "type": huge,
            "message": huge,
            "stack": huge,
            "page": huge,
            "release": huge,
            "user": {"id": huge},
            "tags": {f"t{n}{huge[:3000]}": huge[:3000] for n in range(300)},
            "extra": {"a": huge, "b": [[huge[:3000]] * 30] * 30},
            "breadcrumbs": [{"message": huge[:5000], "data": {"x": huge[:5000]}}] * 500,
            "cause": [
                {
                    "message": huge[:50_000],
                    "stack": "    at f (https://x/" + huge[:3000] + ":1:1)\n",
                }
            ]
            * 50,
            "body": {"message": huge, "id": huge},
            "fingerprint": [huge] * 50,
            "exception": {
                "values": [
                    {
                        "type": huge,
                        "value": huge,
                        "stacktrace": {
                            "frames": [{"function": huge[:9000], "filename": huge[:9000]}] * 300
                        },
                    }
                ]
                * 12
            },
        }
        event = emitted(kind, body, **CHROME_FACTS)
        assert len(event.body) <= fields.BODY
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
        assert (
            named("snippet", {"extra": odd, "message": "a\0b", "tags": {"$a.b": "\0"}})["extra"]
            == odd
        )

    JSON = st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False)
        | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(SNIPPET_FIELDS) | st.text(max_size=8), inner, max_size=6
            )
        ),
        max_leaves=25,
    )

    @settings(max_examples=400, deadline=None)
    @given(
        st.sampled_from(["snippet", "sentry", "report", "csp"]),
        st.dictionaries(
            st.sampled_from(
                [
                    *SNIPPET_FIELDS,
                    "exception",
                    "body",
                    "csp-report",
                    "request",
                    "contexts",
                    "sdk",
                    "logentry",
                ]
            ),
            JSON,
            max_size=8,
        ),
    )
    def test_of_any_shape_never_makes_it_raise(self, kind, body):
        assert isinstance(
            fingerprint(Event("0" * 32, "1", 0, kind, orjson.dumps(body), CHROME_FACTS)), Emit
        )
