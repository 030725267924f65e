"""`catchwater dashboard`: the process that shows what was caught."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click
import structlog
from aiohttp import web

from catchwater import options, service
from catchwater.connection import Connection
from catchwater.streamdefs import StreamDefs, load
from dashboard.app import application
from dashboard.board import Board
from dashboard.gauge import PipelineGauge
from dashboard.names import ProjectNames
from dashboard.rendering import Renderer
from dashboard.security import Guard, loopback
from dashboard.store import Store

if TYPE_CHECKING:
    import threading
    from pathlib import Path

log = structlog.get_logger()


@click.command("dashboard")
@click.option(
    "--host", default="127.0.0.1", envvar="CATCHWATER_DASHBOARD_HOST", show_envvar=True, show_default=True,
    help="Address to listen on. Other than this machine's own needs a password.",
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8081, envvar="CATCHWATER_DASHBOARD_PORT", show_envvar=True,
    show_default=True, help="Port to listen on; 0: any free one, see the log.",
)  # fmt: skip
@click.option(
    "--password", default="", envvar="CATCHWATER_DASHBOARD_PASSWORD", show_envvar=True,
    help="What people have to know, with any user name. Better set by the environment: arguments can be seen.",
)  # fmt: skip
@click.option(
    "--ingest-url", default="http://127.0.0.1:8080", envvar="CATCHWATER_INGEST_URL", show_envvar=True,
    show_default=True, help="Where browsers reach ingest; shown to newcomers in the script tag.",
)  # fmt: skip
@click.option(
    "--demo-url", default="", envvar="CATCHWATER_DEMO_URL", show_envvar=True,
    help="A page that throws errors on purpose; shown to newcomers.",
)  # fmt: skip
@options.mongo_url
@options.projects
@options.service
def command(  # noqa: PLR0913, PLR0917 - click hands over each option by its name
    host: str, port: int, password: str, ingest_url: str, demo_url: str, mongo_url: str, projects: Path,
    redis_url: str, streamdefs: Path | None, ops_host: str, ops_port: int, log_level: str,
) -> None:  # fmt: skip
    """Show what was caught, in a browser and as JSON. It only reads."""
    if not password and not loopback(host):
        raise click.UsageError(
            f"--host {host} can be reached from other machines, and no password is set: "
            "set --password or CATCHWATER_DASHBOARD_PASSWORD, or listen on 127.0.0.1"
        )
    defs = load(streamdefs)
    service.configure_logging("dashboard", log_level)
    stopping = service.stop_signal()

    async def run() -> None:
        board = make_board(redis_url, mongo_url, defs, projects, ingest_url, demo_url)
        with service.OpsServer(ops_host, ops_port, lambda: board.gauge.trouble):
            await serve(board, Guard(host, password), host, port, stopping)

    asyncio.run(run())


def make_board(
    redis_url: str, mongo_url: str, defs: StreamDefs, projects: Path, ingest_url: str, demo_url: str = ""
) -> Board:
    """Everything the handlers need. Neither server has to be up yet. To be called inside the event loop."""
    store = Store(mongo_url)
    gauge = PipelineGauge(Connection(redis_url), defs, store)
    return Board(store, gauge, ProjectNames(projects), Renderer(), ingest_url.rstrip("/"), demo_url)


async def serve(board: Board, guard: Guard, host: str, port: int, stopping: threading.Event) -> None:
    """Answer until `stopping` is set."""
    runner = web.AppRunner(application(board, guard), access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host.strip("[]"), port)
        await _start(site, host, port)
        bound = runner.addresses[0]
        log.info("dashboard is open", url=f"http://{host}:{bound[1]}/", port=bound[1])
        await asyncio.to_thread(stopping.wait)
    finally:
        await runner.cleanup()


async def _start(site: web.TCPSite, host: str, port: int) -> None:
    try:
        await site.start()
    except OSError as error:
        raise click.ClickException(
            f"port {port} of {host} cannot be opened ({error.strerror}): is another dashboard running? "
            "Choose another with --port or CATCHWATER_DASHBOARD_PORT"
        ) from error
