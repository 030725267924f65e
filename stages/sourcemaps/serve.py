"""`catchwater sourcemaps serve`: a process that sentry-cli uploads source maps to."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click
import structlog
from aiohttp import web

from catchwater import options, service
from catchwater.projects import load_if_there
from catchwater.streamdefs import load
from catchwater.watched import Watched
from stages.sourcemaps.chunks import Chunks
from stages.sourcemaps.server import Uploads, application
from stages.sourcemaps.store import Store

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

log = structlog.get_logger()


@click.command("serve")
@options.setting("--host", variable="MAPS_HOST", default="127.0.0.1", help="Address to listen on.")
@options.setting(
    "--port", variable="MAPS_PORT", type=click.IntRange(0, 65_535), default=8082,
    help="Port to listen on; 0: any free one, see the log.",
)  # fmt: skip
@options.setting(
    "--token", variable="MAPS_TOKEN", default="",
    help="What SENTRY_AUTH_TOKEN of sentry-cli has to be. Better set by the environment: arguments can be seen.",
)  # fmt: skip
@options.mongo_url
@options.projects
@options.streamdefs
@options.log_level
def command(
    host: str, port: int, token: str, mongo_url: str, projects: Path, streamdefs: Path | None, log_level: str
) -> None:
    """Take source maps from `sentry-cli sourcemaps upload`, and from the bundlers' plug-ins that run it.

    Point them here with SENTRY_URL, or --url; any organization will do. One process is enough, and more than one would
    not see each other's chunks.
    """
    if len(token) < 16:
        raise click.UsageError(
            "--token or CATCHWATER_MAPS_TOKEN must hold at least 16 characters: who knows it may upload source maps"
        )
    keep = load(streamdefs).retention.maps
    watched = Watched(projects, load_if_there)
    service.configure_logging("sourcemaps", log_level)
    stopping = service.stop_signal()

    def known() -> Mapping[str, str]:
        return {one.id: one.name for one in watched.get().all}

    with closing(Store(mongo_url)) as store, tempfile.TemporaryDirectory(prefix="catchwater-maps-") as folder:
        store.prepare(keep)
        asyncio.run(_serve(Uploads(token, store, Chunks(Path(folder)), known), host, port, stopping))


async def _serve(uploads: Uploads, host: str, port: int, stopping: threading.Event) -> None:
    runner = web.AppRunner(application(uploads), access_log=None, shutdown_timeout=10)
    await runner.setup()
    try:
        await _open(web.TCPSite(runner, host, port), host, port)
        log.info("sentry-cli may upload", url=f"http://{host}:{runner.addresses[0][1]}/", port=runner.addresses[0][1])
        await asyncio.to_thread(stopping.wait)
    finally:
        await runner.cleanup()


async def _open(site: web.TCPSite, host: str, port: int) -> None:
    try:
        await site.start()
    except OSError as error:
        raise click.ClickException(
            f"port {port} of {host} cannot be opened ({error.strerror}): choose another with --port"
        ) from error
