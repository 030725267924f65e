"""What browsers report by themselves: each kind by what it is about, in old wordings and new."""

from __future__ import annotations

import orjson
import pytest

from catchwater.answers import Drop, Emit
from catchwater.event import Event
from stages.fingerprint import answer
from stages.grouping.browser import blocked_origin
from stages.project_settings import DEFAULT
from tests.stages.grouping_cases import named

PAGE = "https://shop.example/cart"


def report(kind: str, **body: object) -> dict:
    return {"type": kind, "age": 1, "url": PAGE, "user_agent": "", "body": body}


def old_csp(**body: str) -> dict:
    return {"csp-report": {name.replace("_", "-"): value for name, value in body.items()}}


def fingerprint(document: dict) -> str:
    kind = "csp" if "csp-report" in document else "report"
    return named(kind, document)["fingerprint"]


def new_csp(directive: str, blocked: str) -> dict:
    return report("csp-violation", effectiveDirective=directive, blockedURL=blocked)


EVIL = "https://evil.example/x.js"


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (
            new_csp("script-src-elem", EVIL),
            old_csp(violated_directive="script-src 'self'", blocked_uri="https://evil.example"),
        ),
        (
            new_csp("style-src-elem", "https://evil.example/a.css"),
            old_csp(effective_directive="style-src", blocked_uri="https://EVIL.example:443/b.css"),
        ),
        (
            new_csp("script-src", "inline"),
            old_csp(violated_directive="script-src 'self'", blocked_uri="self"),
        ),
        (
            new_csp("script-src", "inline"),
            old_csp(violated_directive="script-src 'self'", blocked_uri=""),
        ),
        (
            new_csp("img-src", "data"),
            old_csp(violated_directive="img-src 'self'", blocked_uri="data:image/png;base64,iV"),
        ),
        (
            new_csp("worker-src", "blob"),
            old_csp(violated_directive="worker-src", blocked_uri="blob:https://shop.example/1f"),
        ),
        (
            new_csp("img-src", EVIL),
            report("csp", **{"effective-directive": "img-src", "blocked-uri": EVIL}),
        ),
    ],
)
def test_one_violation_is_one_issue_in_old_wordings_and_new(new, old):
    assert fingerprint(new) == fingerprint(old)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (new_csp("script-src-elem", "inline"), new_csp("script-src-attr", "inline")),
        (new_csp("script-src", "eval"), new_csp("script-src", "inline")),
        (new_csp("img-src", EVIL), new_csp("script-src-elem", EVIL)),
        (new_csp("img-src", EVIL), new_csp("img-src", "https://evil.example:8443/x.js")),
    ],
)
def test_what_differs_in_directive_or_origin_is_another_issue(one, other):
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize(
    ("blocked", "origin"),
    [
        ("http://a.example:80?x", "http://a.example"),
        ("http://a.example:443/", "http://a.example:443"),
        ("wss://a.example:443", "wss://a.example"),
        ("https://[2001:db8::1]:443/x", "https://[2001:db8::1]"),
        ("filesystem:https://a.example/temporary/x", "filesystem"),
        ("chrome-extension://abc/x.js", "chrome-extension"),
        ("about:blank", "about"),
    ],
)
def test_what_was_blocked_is_told_by_its_origin(blocked, origin):
    assert blocked_origin(blocked) == origin


TOLD = {
    "coep": (
        report("coep", type="corp", blockedURL="https://i.example/a.png", destination="image"),
        report("coep", type="navigation", blockedURL="https://i.example/a.png"),
    ),
    "coop": (
        report("coop", type="navigation-to-response", effectivePolicy="same-origin"),
        report("coop", type="access-to-opener", property="postMessage"),
        report("coop", type="access-to-opener", property="closed"),
    ),
    "integrity-violation": (
        report("integrity-violation", blockedURL="https://a.example/x.js", destination="script"),
        report("integrity-violation", blockedURL="https://b.example/x.js", destination="script"),
    ),
    "permissions-policy-violation": (
        report("permissions-policy-violation", featureId="geolocation", disposition="enforce"),
        report("permissions-policy-violation", policyId="camera", disposition="enforce"),
    ),
    "document-policy-violation": (
        report("document-policy-violation", policyId="document-write", disposition="report"),
        report("document-policy-violation", policyId="sync-xhr", disposition="report"),
    ),
    "network-error": (
        report("network-error", phase="application", type="http.error", status_code=500),
        report("network-error", phase="application", type="http.error", status_code=404),
        report("network-error", phase="dns", type="dns.name_not_resolved", status_code=0),
        report("network-error", phase="connection", type="tcp.reset", status_code=0),
    ),
    "crash": (report("crash", reason="oom"), report("crash", reason="unresponsive")),
    "deprecation": (
        report("deprecation", id="XSLT", message="XSLT is deprecated"),
        report("deprecation", id="UnloadHandler", message="unload is deprecated"),
    ),
}


@pytest.mark.parametrize("kind", TOLD)
def test_each_kind_of_report_is_told_by_what_it_is_about(kind):
    shown = [named("report", one) for one in TOLD[kind]]
    assert len({one["fingerprint"] for one in shown}) == len(shown)
    assert len({one["message"] for one in shown}) == len(shown)
    assert "no reason given" not in [one["message"] for one in shown]


def answered(document: dict) -> object:
    event = Event("0" * 32, "1", 1_763_900_000_000, "report", orjson.dumps(document))
    return answer(event, DEFAULT)


@pytest.mark.parametrize(
    "document",
    [
        report("network-error", phase="application", type="ok", status_code=200),
        report("signed-exchange-report", phase="sxg", type="ok"),
        report("csp-hash", subresourceURL="https://shop.example/a.js", hash="sha256-x"),
    ],
)
def test_a_report_that_all_went_well_is_no_error(document):
    assert answered(document) == Drop("no_error")


def test_a_request_that_was_abandoned_is_kept():
    abandoned = report("network-error", phase="application", type="abandoned", status_code=200)
    assert isinstance(answered(abandoned), Emit)
