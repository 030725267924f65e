"""`catchwater sourcemaps serve`: takes the source maps that sentry-cli sends."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click
import structlog

from catchwater import metrics, service
from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.config.projects import load_if_there
from catchwater.config.reloading import Reloading
from catchwater.config.streamdefs import load
from catchwater.errors import RefusedError, UnavailableError
from catchwater.http_server import Runner
from catchwater.issues.release_store import ReleaseStore
from catchwater.sourcemaps.store import MapStore
from catchwater.sourcemaps.upload.assembling import Assembler
from catchwater.sourcemaps.upload.chunks import Chunks
from catchwater.sourcemaps.upload.service import UploadContext, application, project_id

if TYPE_CHECKING:
    import threading

log = structlog.get_logger()

SHORTEST = 16
"""Characters of a token that is not guessed."""


@click.command("serve")
@options.setting(
    "--host",
    variable="MAPS_HOST",
    default="127.0.0.1",
    help="Address to listen on; put TLS before any other than this.",
)
@options.setting(
    "--port",
    variable="MAPS_PORT",
    type=click.IntRange(0, 65_535),
    default=8083,
    help="Port to listen on; 0: any free one, see the log.",
)
@options.setting(
    "--token",
    variable="MAPS_TOKEN",
    default="",
    help=(
        "What SENTRY_AUTH_TOKEN of sentry-cli has to be. Better set by the environment: "
        "arguments can be seen."
    ),
)
@options.mongo_url
@options.projects
@options.streamdefs
@options.ops_host
@options.ops_port
@options.log_level
@finds_box
def command(
    host: str,
    port: int,
    token: str,
    mongo_url: str,
    projects: Path,
    streamdefs: Path | None,
    ops_host: str,
    ops_port: int,
    log_level: str,
) -> None:
    """Take source maps from `sentry-cli sourcemaps upload`, and from the bundlers' plug-ins
    that run it.

    Point them here with SENTRY_URL, or --url; any organization will do. One process is enough, and
    more than one would not see each other's chunks.
    """
    _check(token)
    keep = load(streamdefs).retention.maps
    watched = Reloading(projects, load_if_there)
    service.configure_logging("sourcemaps", log_level)
    stopping = service.stop_signal()

    async def run(store: MapStore, releases: ReleaseStore, folder: str) -> None:
        chunks = Chunks(Path(folder))
        assembler = Assembler(
            store, chunks, keep, project_id=lambda name: project_id(watched.get(), name)
        )
        context = UploadContext(
            assembler, chunks, watched.get, releases.mark, releases.marked, token
        )
        await serve(context, host, port, stopping)

    with (
        closing(MapStore(mongo_url)) as store,
        closing(ReleaseStore(mongo_url)) as releases,
        tempfile.TemporaryDirectory(prefix="catchwater-maps-") as folder,
        service.OpsServer(ops_host, ops_port, lambda: trouble(store)),
    ):
        asyncio.run(run(store, releases, folder))


def trouble(store: MapStore) -> str:
    """Why no map can be stored now; '' if one can."""
    try:
        store.projects()
    except (UnavailableError, RefusedError) as error:
        return str(error)
    return ""


async def serve(context: UploadContext, host: str, port: int, stopping: threading.Event) -> None:
    """Answer until `stopping` is set."""
    malformed = metrics.MALFORMED.labels("sourcemaps").inc
    runner = Runner(application(context), {}, malformed, shutdown_timeout=2)

    def opened(bound: int) -> None:
        log.info("sentry-cli may upload", url=f"http://{host}:{bound}/", port=bound)

    try:
        await runner.serve_until(stopping, host, port, opened)
    except OSError as error:
        raise click.ClickException(
            f"port {port} of {host} cannot be opened ({error.strerror}): is another `sourcemaps "
            f"serve` running? "
            "Choose another with --port or CATCHWATER_MAPS_PORT"
        ) from error


def _check(token: str) -> None:
    if not token:
        raise click.UsageError(
            "no token is set, and without one anybody could upload: set CATCHWATER_MAPS_TOKEN "
            "here and the same as "
            "SENTRY_AUTH_TOKEN for sentry-cli; `openssl rand -hex 32` makes one"
        )
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise click.UsageError(
            f"the token has {len(token)} characters: {SHORTEST} or more are needed, of ASCII "
            f"and "
            f"without spaces"
        )
