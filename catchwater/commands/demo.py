"""`catchwater demo`: a page whose buttons throw one error of each kind. `catchwater up` runs it."""

from __future__ import annotations

from functools import partial
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

import click

from catchwater import service
from catchwater.commands import options
from catchwater.config.projects import load
from catchwater.local.demo.handler import DemoHandler

if TYPE_CHECKING:
    from pathlib import Path


@click.command("demo", hidden=True)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8082,
    show_default=True,
    help="0: any free one.",
)
@click.option(
    "--ingest-url",
    default="http://127.0.0.1:8080",
    envvar="CATCHWATER_INGEST_URL",
    help="Where ingest is.",
)
@click.option(
    "--dashboard-port",
    default=8081,
    envvar="CATCHWATER_DASHBOARD_PORT",
    help="Where the dashboard is.",
)
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
    with ThreadingHTTPServer(("127.0.0.1", port), partial(DemoHandler, words)) as server:
        server.timeout = 0.2
        while not stopping.is_set():
            server.handle_request()
