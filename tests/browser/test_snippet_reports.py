"""Every kind of error becomes the right report, as Chromium sends it to another origin."""

from __future__ import annotations

import re

import pytest

from tests.browser.recorder import KEY

pytestmark = pytest.mark.browser

EXTRAS = "<script src={}/c/key.extras.js></script>"
NESTED = """
function priceOf(item) { return item.price.amount; }
function total(cart) { return cart.map(priceOf); }
setTimeout(function checkout() { total([{}]); });
"""


def one(recorder):
    (report,) = recorder.wait_for_reports(1)
    return report


def test_an_uncaught_error_gives_every_field_of_the_design(visit, recorder):
    page = visit(f"<script>{NESTED}</script>")
    report = one(recorder)
    assert re.fullmatch("[0-9a-f]{32}", report["id"])
    assert report["type"] == "TypeError"
    assert report["message"] == "Cannot read properties of undefined (reading 'amount')"
    assert [name in report["stack"] for name in ("priceOf", "Array.map", "total", "checkout")] == [
        True
    ] * 4
    assert (report["source"], report["line"], report["mechanism"]) == (page.url, 2, "onerror")
    assert report["column"] > 0
    assert report["page"] == page.url
    assert (report["n"], report["sdk"]) == (1, "catchwater/0.1.0")
    assert report["first_ts"] == report["ts"] > 1.7e12


def test_the_request_needs_no_preflight_and_carries_no_credentials(visit, recorder):
    visit("<script>document.cookie = 'a=b'; nowhere()</script>")
    one(recorder)
    assert [request.method for request in recorder.requests] == ["POST"]
    headers = recorder.requests[0].headers
    assert headers["Content-Type"] == "text/plain;charset=UTF-8"
    assert headers["Origin"] == recorder.origin
    assert "Cookie" not in headers


def test_a_stack_has_up_to_fifty_frames(visit, recorder):
    visit("<script>function deep(n) { n ? deep(n - 1) : nowhere() } deep(80)</script>")
    assert one(recorder)["stack"].count("at deep") == 50


def test_a_syntax_error_has_the_place_of_the_script(visit, recorder):
    address = recorder.serve("broken.js", "var a = 1;\nvar = 2;", "text/javascript")
    visit(f"<script src='{address}'></script>")
    report = one(recorder)
    assert (report["type"], report["source"], report["line"]) == ("SyntaxError", address, 2)


def test_causes_are_told_nearest_first_and_a_circle_of_them_ends(visit, recorder):
    visit("""<script>
      class PaymentError extends Error { constructor(m, o) { super(m, o); this.name = "PaymentError" } }
      var root = new RangeError("amount"), middle = new Error("call", {cause: root});
      root.cause = middle;
      throw new PaymentError("payment", {cause: middle})</script>""")  # noqa: E501 - one piece of text, as it is sent or run
    report = one(recorder)
    assert (report["type"], report["message"]) == ("PaymentError", "payment")
    told = [(cause["type"], cause["message"]) for cause in report["cause"]]
    assert told == [("Error", "call"), ("RangeError", "amount")]
    assert "at " in report["cause"][0]["stack"]


def test_an_error_that_is_its_own_cause_has_none(visit, recorder):
    visit("<script>var e = new Error('own'); e.cause = e; throw e</script>")
    assert one(recorder)["cause"] == []


def test_of_many_causes_the_first_five_are_told(visit, recorder):
    visit("""<script>
      for (var e = new Error("0"), i = 1; i < 9; i++) e = new Error(String(i), {cause: e});
      throw e</script>""")
    assert [cause["message"] for cause in one(recorder)["cause"]] == ["7", "6", "5", "4", "3"]


def test_what_failed_inside_an_aggregate_error_is_its_cause(visit, recorder):
    visit(
        "<script>Promise.any([Promise.reject(new Error('first')), Promise.reject(new "
        "Error('second'))])</script>"
    )
    report = one(recorder)
    assert (report["type"], report["mechanism"]) == ("AggregateError", "unhandledrejection")
    assert report["cause"][0]["message"] == "first"


REJECTIONS = {
    "new Error('in a promise')": ("Error", "in a promise"),
    "'just a text'": (None, "just a text"),
    "undefined": (None, "undefined"),
    "null": (None, "null"),
    "0": (None, "0"),
    "Symbol('s')": (None, "Symbol(s)"),
    "{code: 7, advice: 'wait'}": (None, "[object Object] with keys: code,advice"),
    "{name: 'Odd', message: 'looks like an error'}": ("Odd", "looks like an error"),
    "new DOMException('gone', 'NotFoundError')": ("NotFoundError", "gone"),
    "new Event('error')": (None, "[object Event] with keys: isTrusted"),
}


@pytest.mark.parametrize("reason", REJECTIONS)
def test_a_rejection_is_told_whatever_its_reason(visit, recorder, reason):
    visit(f"<script>Promise.reject({reason})</script>")
    report = one(recorder)
    assert (report.get("type"), report["message"]) == REJECTIONS[reason]
    assert report["mechanism"] == "unhandledrejection"


@pytest.mark.parametrize("thrown", ["'a text'", "null", "undefined", "0", "''"])
def test_a_thrown_value_that_is_no_error_is_told(visit, recorder, thrown):
    visit(f"<script>throw {thrown}</script>")
    report = one(recorder)
    assert report["mechanism"] == "onerror"
    assert thrown.strip("'") in report["message"]


@pytest.mark.parametrize(
    ("html", "name"),
    [
        ("<img src=/missing.png>", "img"),
        ("<script src=/missing.png></script>", "script"),
        ("<link rel=stylesheet href=/missing.png>", "link"),
        ("<video><source src=/missing.png></video>", "source"),
    ],
)
def test_a_resource_that_does_not_load_is_told_on_demand(visit, recorder, html, name):
    visit(html, before=EXTRAS.format(recorder.ingest), attributes="data-resources=true")
    report = one(recorder)
    address = f"{recorder.origin}/missing.png"
    assert (report["type"], report["message"]) == (
        "ResourceError",
        f"Failed to load {name} {address}",
    )
    assert (report["source"], report["mechanism"]) == (address, "resource")


def test_a_script_of_another_origin_is_told_as_script_error(visit, recorder):
    recorder.serve("other.js", "nowhere()", "text/javascript")
    other = recorder.origin.replace("127.0.0.1", "localhost")
    visit(f"<script src='{other}/other.js'></script>")
    report = one(recorder)
    assert report["message"] == "Script error."
    assert "stack" not in report


def test_a_report_by_hand_carries_its_extra_and_is_not_told_again_when_thrown(visit, recorder):
    visit("""<script>
      try { nowhere() } catch (e) { catchwater.report(e, {order: 12}); setTimeout(function () { throw e }) }
      setTimeout(function () { catchwater.report("that was all") })</script>""")  # noqa: E501 - one piece of text, as it is sent or run
    first, second = recorder.wait_for_reports(2)
    assert (first["type"], first["mechanism"], first["extra"]) == (
        "ReferenceError",
        "manual",
        {"order": 12},
    )
    assert (second["message"], second["mechanism"]) == ("that was all", "manual")


def test_configuration_comes_from_the_page_and_from_the_script_tag(visit, recorder):
    config = "{environment: 'test', user: {id: '42'}, tags: {plan: 'pro'}, level: 'warning'}"
    visit(
        "<script>nowhere()</script>",
        before=f"<script>catchwater = {config}</script>",
        attributes="data-release='shop@1.2.3' data-environment='not this'",
    )
    report = one(recorder)
    assert (report["release"], report["environment"]) == ("shop@1.2.3", "test")
    assert (report["user"], report["tags"], report["level"]) == (
        {"id": "42"},
        {"plan": "pro"},
        "warning",
    )


def test_a_stub_hears_what_happens_before_the_script_comes(visit, recorder):
    stub = """<script>catchwater = {q: []}; ["error", "unhandledrejection"].forEach(function (type) {
      addEventListener(type, function (event) { catchwater.q && catchwater.q.push(event) }, true) })</script>
      <script>early()</script>"""  # noqa: E501 - one piece of text, as it is sent or run
    visit(
        "<script>setTimeout(function () { late() }, 300)</script>", before=stub, attributes="async"
    )
    early, late = recorder.wait_for_reports(2)
    assert (early["message"], late["message"]) == ("early is not defined", "late is not defined")
    assert KEY not in early["page"]
