"""A page's origin and an ingest server's, on two ports, that record what a browser sends: no
Catchwater in it.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from tests.browser.toolchain import BUILT

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "retry-after"}
KEY = "0123456789abcdef0123456789abcdef"


@dataclass
class Request:
    """One POST as it came, and the answer it got."""

    reports: list[dict[str, Any]]
    headers: dict[str, str]
    method: str
    status: int


class Recorder:
    """Serves pages and the snippet, records reports; it may be told to refuse them or to be
    gone.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.pages: dict[str, web.Response] = {}
        self.served: list[str] = []  # paths of pages, in the order they were asked for
        self.status = 202  # what reports are answered
        self.headers: dict[str, str] = {}  # and with what besides
        self._arrived = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._pages = web.AppRunner(self._app(web.get("/{path:.*}", self._page)), access_log=None)
        self._ingest: web.AppRunner | None = None
        self._ports = {"pages": 0, "ingest": 0}

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._open("pages", self._pages))
        self.come_up()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_down()
        self._run(self._pages.cleanup())
        self._run(self._settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def origin(self) -> str:
        """The origin of the pages."""
        return f"http://127.0.0.1:{self._ports['pages']}"

    @property
    def ingest(self) -> str:
        """The origin the reports go to."""
        return f"http://127.0.0.1:{self._ports['ingest']}"

    def come_up(self) -> None:
        """Listen for reports, on the same port as before."""
        routes = [
            web.get(f"/c/{{key:key|{KEY}}}{{file}}js", self._snippet),
            web.route("*", f"/e/{KEY}", self._record),
        ]
        self._ingest = web.AppRunner(self._app(*routes), access_log=None, shutdown_timeout=0.1)
        self._run(self._open("ingest", self._ingest))

    def go_down(self) -> None:
        """Close the port that reports go to: connections are refused."""
        if self._ingest:
            self._run(self._ingest.cleanup())
        self._ingest = None

    def serve(self, path: str, body: str, kind: str = "text/html", **headers: str) -> str:
        """Serve a page or script from now on, and return its address."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = web.Response(
            text=body, content_type=kind, charset="utf-8", headers=named
        )
        return f"{self.origin}/{path}"

    @property
    def reports(self) -> list[dict[str, Any]]:
        """The reports of errors that were accepted, each id once, in the order of their arrival."""
        return [report for report in self._accepted() if "dropped" not in report]

    @property
    def dropped(self) -> dict[str, int]:
        """How many errors the pages say that they left out, by reason; each id once."""
        counts: Counter[str] = Counter()
        for report in self._accepted():
            if "dropped" in report:
                counts[report["dropped"]] += report["n"]
        return dict(counts)

    def _accepted(self) -> list[dict[str, Any]]:
        accepted = (
            report
            for request in self.requests
            if request.status < 300
            for report in request.reports
        )
        return list({report["id"]: report for report in accepted}.values())

    def wait(self, condition: Callable[[Recorder], bool], what: str, timeout: float = 20) -> None:
        """Return when the condition holds for what has arrived; it is looked at whenever
        something does.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: condition(self), timeout):
                raise AssertionError(
                    f"{what} did not happen in {timeout} s; arrived: {self.requests}"
                )

    def wait_for_reports(self, count: int) -> list[dict[str, Any]]:
        """Return the first reports when that many have been accepted."""
        self.wait(lambda recorder: len(recorder.reports) >= count, f"{count} accepted reports")
        return self.reports

    def wait_until_served(self, path: str, timeout: float = 20) -> None:
        """Return when a browser has asked for a page."""
        self.wait(lambda recorder: path in recorder.served, f"a visit to {path}", timeout)

    @staticmethod
    def _app(*routes: web.RouteDef) -> web.Application:
        app = web.Application(client_max_size=10_000_000)
        app.add_routes(routes)
        return app

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    @staticmethod
    async def _settle() -> None:
        for _ in range(10):  # a closed connection is gone some turns of the loop later
            await asyncio.sleep(0)

    async def _open(self, name: str, runner: web.AppRunner) -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._ports[name], reuse_address=True)
        await site.start()
        self._ports[name] = runner.addresses[0][1]

    async def _page(self, request: web.Request) -> web.Response:
        with self._arrived:
            self.served.append(request.match_info["path"])
            self._arrived.notify_all()
        page = self.pages.get(request.match_info["path"])
        if page is None:
            return web.Response(status=404)
        return web.Response(body=page.body, headers=page.headers)

    async def _snippet(self, request: web.Request) -> web.Response:
        endpoint = json.dumps(f"{self.ingest}/e/{KEY}")
        name = request.match_info["file"].strip(".") or "snippet"
        text = (BUILT / f"{name}.min.js").read_text().replace('"__CATCHWATER_ENDPOINT__"', endpoint)
        return web.Response(text=text, content_type="application/javascript", headers=CORS)

    async def _record(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode()
        reports = json.loads(body) if request.method == "POST" else []
        with self._arrived:
            self.requests.append(
                Request(reports, dict(request.headers), request.method, self.status)
            )
            self._arrived.notify_all()
        return web.Response(status=self.status, headers=CORS | self.headers)
