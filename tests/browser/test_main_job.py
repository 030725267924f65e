"""The main job, on real input: a browser throws, and the error stands in the dashboard with the
right count.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_demo_page import EXPECTED
from tests.browser.toolchain import HERE, bundle
from tests.chromium import close
from tests.sourcemaps.bundles import ENTRY, LATER, by_esbuild, by_rollup, source
from tests.up_process import UpProcess
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SENTRY = {
    "thrown": ("ReferenceError", "undefinedFunctionOfTheSentryPage is not defined"),
    "rejected": ("RangeError", "a rejection the sentry page does not handle"),
    "message": (None, "a message of the sentry page"),
    "chained": ("OrderError", "an order with a cause"),
}
# What the list says of an issue: 0 as long as no row holds these words.
COUNT = """(said) => { for (const row of document.querySelectorAll("tr[data-key]"))
  if (row.querySelector(".title").textContent.includes(said)) return Number(row.querySelector(".count").textContent);
  return 0 }"""  # noqa: E501 - one piece of text, as it is sent or run


class Addresses(UpProcess):
    """What `catchwater up` prints for a newcomer."""

    @property
    def dashboard(self) -> str:
        return self.address("dashboard")

    @property
    def demo(self) -> str:
        return self.address("demo page")

    @property
    def dsn(self) -> str:
        return self.address("DSN")

    @property
    def snippet(self) -> str:
        """The address of the snippet for the first project."""
        return self.reporting.replace("/r/", "/c/") + ".js"

    @property
    def reporting(self) -> str:
        """Where a browser's own reports go."""
        scheme, key, host, _ = re.split("://|@|/", self.dsn)
        return f"{scheme}://{host}/r/{key}"


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    """Everything, started by the one command in a folder of its own, and ended by Ctrl-C."""
    with Addresses(tmp_path_factory.mktemp("up")) as one:
        yield one
        assert one.stop() == 0, one.said


@pytest.fixture
def dashboard(chromium, system):
    """The list of issues, open in a window of its own; it fails the test if it was ever loaded
    anew.
    """
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(system.dashboard)
    page.evaluate("window.loadedOnce = true")
    yield page
    assert page.evaluate("window.loadedOnce") is True
    close(context)


def wait_for_count(dashboard, said, count):
    """Return when the list says so. The promise is 2 s; the bound is for slow machines."""
    dashboard.wait_for_function(
        f"([said, count]) => ({COUNT})(said) === count", arg=[said, count], timeout=20_000
    )


def click_and_watch(page, dashboard, button, said, more=1):
    """Click, and return the seconds until the dashboard shows that many more."""
    before = dashboard.evaluate(COUNT, said)
    clicked = time.perf_counter()
    page.click(f"#{button}")
    wait_for_count(dashboard, said, before + more)
    return time.perf_counter() - clicked


def show(title, latencies, figures):
    slowest = max(latencies.values())
    lines = "".join(f"\n  {seconds:5.2f} s  {button}" for button, seconds in latencies.items())
    figures(f"{title}, from click to dashboard (slowest {slowest:.2f} s):{lines}")


def test_every_button_of_the_demo_page_stands_in_the_dashboard(
    system, page, dashboard, screenshots, figures
):
    latencies = {}
    page.goto(system.demo)
    for button, (_, message, _) in EXPECTED.items():
        more = 100 if button == "hundred" else 1
        latencies[button] = click_and_watch(page, dashboard, button, message, more)
    page.screenshot(path=screenshots / "demo_of_up.png", full_page=True)
    assert dashboard.locator("select[name=state]").is_visible()
    dashboard.screenshot(path=screenshots / "issues.png", full_page=True)
    show("demo page", latencies, figures)


def test_an_unmodified_sentry_sdk_is_understood(
    system, page, dashboard, recorder, screenshots, tmp_path, figures
):
    bundle(HERE / "sentry_page.js", tmp_path / "bundle.js")
    recorder.serve("sentry.js", (tmp_path / "bundle.js").read_text(), "text/javascript")
    address = recorder.serve("sentry.html", "<!doctype html><body><script src=sentry.js></script>")
    latencies = {}
    page.goto(f"{address}?dsn={system.dsn}")
    for button, (_, message) in SENTRY.items():
        latencies[button] = click_and_watch(page, dashboard, button, message)
    dashboard.screenshot(path=screenshots / "issues_sentry.png", full_page=True)
    show("Sentry's SDK", latencies, figures)


def test_the_issue_page_tells_of_stack_causes_and_extra(system, page, dashboard, screenshots):
    page.goto(system.demo)
    click_and_watch(page, dashboard, "chained", EXPECTED["chained"][1])
    link = dashboard.locator(".title", has_text="PaymentError").first.get_attribute("href")
    issue = dashboard.context.new_page()
    issue.goto(system.dashboard + link.lstrip("/"))
    text = issue.inner_text("body")
    issue.screenshot(path=screenshots / "issue.png", full_page=True)
    for part in (
        "PaymentError",
        "the bank's answer cannot be read",
        "shop.js",
        "pay",
        "SyntaxError",
        "demo@1.0.0",
    ):
        assert part in text


def test_a_policy_violation_that_chromium_itself_reports_is_an_issue(
    system, page, dashboard, recorder
):
    policy = f"img-src 'none'; report-uri {system.reporting}"
    page.goto(
        recorder.serve("policy.html", "<img src=/picture.png>", Content_Security_Policy=policy)
    )
    wait_for_count(dashboard, "img-src", 1)


def maps_seen(system):
    """When the newest map was uploaded that the fingerprint stage knows of."""
    address = f"http://127.0.0.1:{system.ports['ops']['fingerprint-1']}/metrics"
    with urllib.request.urlopen(address, timeout=5) as answer:
        return float(
            re.search(
                r"^catchwater_source_maps_seen\S* (\S+)", answer.read().decode(), re.MULTILINE
            )[1]
        )


def test_the_same_fault_in_two_minified_builds_is_one_issue_with_its_source(
    system, page, dashboard, recorder, screenshots, tmp_path
):
    """Built by esbuild, and later, with more code, by rollup and terser; thrown in Chromium;
    told by its maps.
    """
    mongo = system.ports["mongo_url"]
    for release, entry, build in (("one", ENTRY, by_esbuild), ("two", LATER, by_rollup)):
        (dist := tmp_path / release / "dist").mkdir(parents=True)
        build(source(tmp_path / release, entry), dist / "shop.js")
        started = time.time()
        upload = [
            "sourcemaps",
            "upload",
            dist,
            "--project",
            "1",
            "--release",
            release,
            "--mongo-url",
            mongo,
        ]
        subprocess.run([Path(sys.executable).with_name("catchwater"), *upload], check=True)
        wait_until(lambda since=started: maps_seen(system) > since, "the stage sees the upload")
        recorder.serve("shop.js", (dist / "shop.js").read_text(), "text/javascript")
        tags = (
            f'<script src="{system.snippet}" data-release="{release}"></script><script '
            f"src=shop.js></script>"
        )
        page.goto(recorder.serve(f"{release}.html", f"<!doctype html><head>{tags}</head><body>"))
        page.evaluate("setTimeout(window.buy)")
        wait_for_count(dashboard, "reading 'lines'", 1 if release == "one" else 2)
    link = dashboard.locator(".title", has_text="reading 'lines'").first.get_attribute("href")
    issue = dashboard.context.new_page()
    issue.goto(system.dashboard + link.lstrip("/"))
    text = issue.inner_text("body")
    issue.screenshot(path=screenshots / "issue_with_source.png", full_page=True)
    for part in (
        "checkoutOrder",
        "src/shop.js",
        "return cart.total(order.missing.lines);",
        "In the script that ran",
    ):
        assert part in text


def audit(system) -> dict[str, Any]:
    with urllib.request.urlopen(f"{system.dashboard}api/pipeline", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)["audit"]
    return found


def test_what_a_page_left_out_is_counted_beside_the_errors(
    system, page, dashboard, recorder, screenshots
):
    """Each number once, though it is kept for the next page, too, and sent twice."""
    head = (
        f'<script>catchwater = {{ignore: ["noise"]}}</script><script '
        f'src="{system.snippet}"></script>'
    )
    noisy = (
        "<script>for (i = 0; i < 7; i++) setTimeout(function () { throw Error('noise') })</script>"
    )
    page.goto(recorder.serve("noisy.html", f"<!doctype html><head>{head}</head><body>{noisy}"))
    page.evaluate("new Promise(done => setTimeout(done, 200))")
    page.goto(recorder.serve("calm.html", f"<!doctype html><head>{head}</head><body>"))
    wait_until(lambda: audit(system)["dropped"].get("client_report") == 1, "it is counted")
    wait_until(lambda: audit(system)["duplicates"] >= 1, "its copy is known")
    assert audit(system)["client_losses"] == {"ignored": 7}
    wait_until(lambda: audit(system)["adds_up"], "the audit adds up")
    pipeline = dashboard.context.new_page()
    pipeline.goto(f"{system.dashboard}pipeline")
    pipeline.screenshot(path=screenshots / "pipeline.png", full_page=True)
    assert "ignored" in pipeline.inner_text("body")


def test_an_error_made_while_ingest_is_dead_is_counted_once(system, page, dashboard):
    """Its request waits in the backlog of the socket, which outlives ingest."""
    page.goto(system.demo)
    for file in (system.data / "run").glob("ingest*.pid"):
        os.kill(int(file.read_text()), signal.SIGKILL)
    page.evaluate("setTimeout(function () { throw new Error('made while ingest was dead') })")
    wait_for_count(dashboard, "made while ingest was dead", 1)
