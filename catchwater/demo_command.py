"""`catchwater demo`: a page whose buttons throw one error of each kind. `catchwater up` runs it."""

from __future__ import annotations

import html
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catchwater import options, service
from catchwater.projects import load

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGES = Path(__file__).parent / "demo"


@click.command("demo", hidden=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=8082, show_default=True, help="0: any free one.")
@click.option("--ingest-url", default="http://127.0.0.1:8080", envvar="CATCHWATER_INGEST_URL", help="Where ingest is.")
@click.option("--dashboard-port", default=8081, envvar="CATCHWATER_DASHBOARD_PORT", help="Where the dashboard is.")
@options.projects
def command(port: int, ingest_url: str, dashboard_port: int, projects: Path) -> None:
    """Serve the demo page on this machine."""
    service.configure_logging("demo")
    project = load(projects).all[0]
    words = {
        "__SCRIPT_SRC__": f"{ingest_url}/c/{project.key}.js",
        "__EXTRAS_SRC__": f"{ingest_url}/c/{project.key}.extras.js",
        "__DSN__": f"{ingest_url.replace('://', f'://{project.key}@')}/{project.id}",
        "__DASHBOARD__": f"http://127.0.0.1:{dashboard_port}/",
    }
    stopping = service.stop_signal()
    with ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, words)) as server:
        server.timeout = 0.2
        while not stopping.is_set():
            server.handle_request()


class Handler(SimpleHTTPRequestHandler):
    """The files of the demo, with the addresses of this machine filled in."""

    timeout = 5
    """Seconds a client may take for its request."""

    def __init__(self, words: Mapping[str, str], *arguments: Any, **named: Any) -> None:
        self._words = words
        super().__init__(*arguments, directory=str(PAGES), **named)

    def do_GET(self) -> None:
        if self.path not in ("/", "/index.html"):
            super().do_GET()
            return
        page = (PAGES / "index.html").read_text(encoding="utf-8")
        for word, value in self._words.items():
            page = page.replace(word, html.escape(value))
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has in the standard library
        """Say nothing."""
