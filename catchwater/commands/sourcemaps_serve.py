"""`catchwater sourcemaps serve`: takes the source maps that sentry-cli sends."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

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
    from collections.abc import Sequence

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
        async with Applier(mongo_url, projects, streamdefs) as applier:
            known = lambda name: project_id(watched.get(), name)  # noqa: E731 - a line, not a name
            assembler = Assembler(store, chunks, keep, project_id=known, stored=applier.start)
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


MOST_IDS = 100
"""Debug ids that `sourcemaps apply` is given: a bundle of more has it look at all samples."""


AGAIN_AFTER_S = 60.0
"""Seconds until events are stored that were grouped before the stage saw an upload."""


class Applier:
    """Runs `catchwater sourcemaps apply` behind an upload, one at a time, as a process of its own:
    an upload neither waits for it nor fails by it.
    """

    def __init__(self, mongo_url: str, projects: Path, streamdefs: Path | None) -> None:
        own = {"MONGO_URL": mongo_url, "PROJECTS": projects, "STREAMDEFS": streamdefs or ""}
        given = {f"CATCHWATER_{name}": str(value) for name, value in own.items() if str(value)}
        self._environment = os.environ | given
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, project: str, maps: Sequence[str]) -> None:
        """For these maps of a project, when its turn comes."""
        task = asyncio.create_task(self._apply(project, maps))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        """End what runs: the next `apply` goes on there."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _apply(self, project: str, maps: Sequence[str]) -> None:
        """Now, and once more for events that are on their way now."""
        await self._run(project, maps)
        await asyncio.sleep(AGAIN_AFTER_S)
        await self._run(project, maps)

    async def _run(self, project: str, maps: Sequence[str]) -> None:
        named = [one.partition(":")[::2] for one in maps] if len(maps) <= MOST_IDS else []
        options = [f"--{kind.replace('_', '-')}={name}" for kind, name in named]
        command = [*(sys.executable, "-m", "catchwater", "sourcemaps", "apply"), *options]
        async with self._turn:
            process = await asyncio.create_subprocess_exec(
                *command, f"--project={project}", env=self._environment, **_PIPES
            )
            try:
                out, _ = await process.communicate()
            except asyncio.CancelledError:
                process.kill()
                await process.wait()
                raise
        said = log.info if process.returncode == 0 else log.warning
        said("maps were applied to samples", project=project, text=out.decode()[-2_000:].strip())


_PIPES: dict[str, Any] = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.STDOUT}


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
