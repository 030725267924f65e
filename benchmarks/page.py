"""What the snippet costs a page: `python -m benchmarks.page`.

The same page without it is the reference, Sentry's SDK stands beside it, and visits take turns.
Chromium with a cold cache, on a processor four times as slow as this one and a network of 150 ms
and 1.6 Mbit/s: Lighthouse's phone.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Self

import click
from aiohttp import web
from playwright.sync_api import sync_playwright

from benchmarks.whole import MeasuredUp
from ingest.tags import stub
from tests.browser.toolchain import bundle
from tests.chromium import FLAGS, program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser

Costs = dict[str, dict[str, list[float]]]
"""Variant, metric, runs."""

SLOWER = 4
NETWORK = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 200_000,
    "uploadThroughput": 93_750,
}  # bytes a second
SENTRY = (
    'import * as Sentry from "@sentry/browser"; Sentry.init({dsn: "https://abc@127.0.0.1:1/1"});'
)
STYLE = "body{font:16px sans-serif} li{padding:8px;border-bottom:1px solid #ddd}"
LIST = "<h1>Everything we have</h1><ul>" + "<li>A thing, and what it costs</li>" * 400 + "</ul>"
WORK = "for (var i = 0, s = ''; i < 2e5; i++) s += i % 7; document.title = s.length"
HTML = (
    "<!doctype html><html><head><meta charset=utf-8><title>shop</title>%s<link rel=stylesheet "
    "href=style.css></head>"
    f"<body>{LIST}<script src=work.js></script></body></html>"
)
OBSERVED = """() => new Promise(done => {
  const told = {paint: 0, largest: 0, blocked: 0, shift: 0};
  const watch = (type, add) =>
    new PerformanceObserver(list => list.getEntries().forEach(add)).observe({type, buffered: true});
  watch("paint", one => {
    if (one.name !== "first-contentful-paint") return;
    told.paint = one.startTime; setTimeout(end, 800) });
  watch("largest-contentful-paint", one => told.largest = one.startTime);
  watch("longtask", one => told.blocked += Math.max(one.duration - 50, 0));
  watch("layout-shift", one => told.shift += one.value);
  const end = () => done({...told, nodes: document.querySelectorAll("body *").length,
    load: performance.timing.loadEventEnd - performance.timing.navigationStart}) })"""
THROWN = """different => {
  const errors = Array.from({length: 40}, (_, i) => new Error("error " + (different ? i : 0)));
  const started = performance.now();
  for (const error of errors)
    dispatchEvent(new ErrorEvent("error", {error, message: error.message, filename: "x"}));
  return (performance.now() - started) * 1000 / errors.length }"""
METRICS = {
    "its": "its scripts, compiled and run, ms",
    "tasks": "main thread, the whole page, ms",
    "paint": "first contentful paint, ms",
    "largest": "largest contentful paint, ms",
    "blocked": "total blocking time, ms",
    "load": "load, ms",
    "bytes": "over the network, bytes",
    "requests": "requests",
    "shift": "cumulative layout shift",
    "nodes": "nodes in the page",
    "different": "an error, each another one, us",
    "same": "an error, the same again, us",
}


class Site:
    """The pages, on a port of their own, with gzip."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[str, str]] = {}  # path -> text, content type
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start())
        self.origin = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)

    async def _start(self) -> None:
        app = web.Application()
        app.add_routes([web.get("/{name}", self._file)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()

    async def _file(self, request: web.Request) -> web.Response:
        text, kind = self.files.get(request.match_info["name"], ("", "text/plain"))
        response = web.Response(text=text, content_type=kind)
        response.enable_compression()
        return response


def heads(reports: str) -> dict[str, str]:
    """What stands in the page's head, by name; the first is the reference."""
    script = reports.replace("/e/", "/c/")
    tag = f"<script src={script}.js></script>"
    return {
        "nothing": "",
        "the tag": tag,
        "inline part": f"<script>{stub()}</script><script async src={script}.js></script>",
        "both files": f"{tag}<script src={script}.extras.js crossorigin=anonymous></script>",
        "Sentry's SDK": "<script src=sentry.js></script>",
    }


def page_costs(rounds: int, browser: Browser) -> Costs:
    """Every metric of every variant, in each round."""
    with tempfile.TemporaryDirectory() as name, MeasuredUp(Path(name) / "up") as up, Site() as site:
        variants = heads(up.report_url)
        _fill(site, variants, Path(name))
        found: Costs = {variant: {metric: [] for metric in METRICS} for variant in variants}
        for _ in range(rounds):
            for number, metrics in enumerate(found.values()):
                for metric, value in visit(browser, f"{site.origin}/p{number}").items():
                    metrics[metric].append(value)
    return found


def _fill(site: Site, variants: Mapping[str, str], folder: Path) -> None:
    (folder / "entry.js").write_text(SENTRY)
    bundle(folder / "entry.js", folder / "sentry.js")
    site.files["sentry.js"] = ((folder / "sentry.js").read_text(), "text/javascript")
    site.files["work.js"], site.files["style.css"] = (WORK, "text/javascript"), (STYLE, "text/css")
    site.files.update(
        {f"p{number}": (HTML % head, "text/html") for number, head in enumerate(variants.values())}
    )


def visit(browser: Browser, address: str) -> dict[str, float]:
    """One look at a page with nothing in the cache."""
    context = browser.new_context(viewport={"width": 412, "height": 823})
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    sizes: list[float] = []
    devtools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    for method in ("Network.enable", "Performance.enable"):
        devtools.send(method)
    devtools.send("Network.emulateNetworkConditions", NETWORK)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    page.goto(address, wait_until="load")
    found: dict[str, float] = page.evaluate(OBSERVED)
    found |= {
        "its": _evaluated(json.loads(browser.stop_tracing())),
        "bytes": sum(sizes),
        "requests": len(sizes),
    }
    spent = {
        one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]
    }
    found["tasks"] = spent["TaskDuration"] * 1000
    found |= {"different": page.evaluate(THROWN, 1), "same": page.evaluate(THROWN, 0)}
    context.close()
    return found


def _evaluated(trace: Mapping[str, Any]) -> float:
    """Milliseconds on the processor that the browser spent in scripts which are not the page's
    own work.
    """
    found = (
        one for one in trace["traceEvents"] if one["name"] == "EvaluateScript" and "tdur" in one
    )
    addresses = ((one["args"]["data"]["url"], one["tdur"]) for one in found)
    return (
        sum(us for url, us in addresses if url.startswith("http") and not url.endswith("work.js"))
        / 1000
    )


def table(costs: Costs) -> str:
    """Medians; of all but the first variant also what they add to it."""
    rounds = len(next(iter(costs["nothing"].values())))
    lines = [
        f"{f'cost to the page, medians of {rounds}':<40}" + "".join(f"{name:>20}" for name in costs)
    ]
    for metric, label in METRICS.items():
        first, *others = (median(metrics[metric]) for metrics in costs.values())
        cells = [_short(first), *(f"{_short(value)} ({value - first:+,.0f})" for value in others)]
        lines.append(f"{label:<40}" + "".join(f"{cell:>20}" for cell in cells))
    return "\n".join(lines)


def _short(value: float) -> str:
    return f"{value:,.1f}" if 0 < value < 10 else f"{value:,.0f}"


@click.command()
@click.option("--rounds", default=15, show_default=True, help="Visits to each page.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def main(rounds: int, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """What the snippet costs a page, against the same page without it in the same run."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program(), args=FLAGS)
        costs = page_costs(rounds, browser)
        browser.close()
    click.echo(json.dumps(costs) if as_json else table(costs))


if __name__ == "__main__":
    main()
