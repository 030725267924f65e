"""`catchwater ingest`: takes what browsers send."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
import structlog
import uvloop
from aiohttp import web

from catchwater import options, service
from catchwater.door import Door
from catchwater.observer import Observer
from catchwater.options import F, setting
from catchwater.projects import Projects
from catchwater.projects import load as load_projects
from catchwater.streamdefs import StreamDefs, load
from catchwater.watched import Watched
from ingest.group_commit import GroupCommit
from ingest.listener import Runner
from ingest.losses import Losses
from ingest.server import Front, application
from ingest.settings import Limits
from ingest.silent import close_the_silent
from ingest.spool import Spool

if TYPE_CHECKING:
    import threading

log = structlog.get_logger()

SAVE_EVERY = 1.0
"""Seconds between savings of what was refused."""


DEFAULTS = Limits()

OPTIONS = (
    setting("--host", variable="INGEST_HOST", default="127.0.0.1", help="Address to listen on; 0.0.0.0: all."),
    setting(
        "--port", variable="INGEST_PORT", default=8080, type=click.IntRange(0, 65_535),
        help="Port to listen on. Several processes may share one.",
    ),
    setting(
        "--spool", type=click.Path(path_type=Path, file_okay=False), default=Path("spool"),
        help="Folder where events wait while Redis is away.",
    ),
    setting(
        "--spool-bytes", default=256_000_000, type=click.IntRange(1_000_000),
        help="How large the spool may become; then ingest answers 503.",
    ),
    setting(
        "--wait-replicas", default=0, type=click.IntRange(0),
        help="Replicas of Redis that must have an event before it is answered.",
    ),
    setting(
        "--body-bytes", default=DEFAULTS.body_bytes, type=click.IntRange(1000),
        help="The largest body, packed or unpacked.",
    ),
    setting(
        "--memory-watermark", default=DEFAULTS.memory_watermark, type=click.FloatRange(0.1, 1.0),
        help="Share of Redis's maxmemory above which ingest answers 503.",
    ),
    setting("--trust-proxy", is_flag=True, help="Believe X-Forwarded-For: only behind a proxy that sets it."),
    options.public_url,
)  # fmt: skip


def front(command: F) -> F:
    """The options of ingest."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command("ingest")
@front
@options.projects
@options.service
def command(  # noqa: PLR0913, PLR0917 - click hands over each option by its name
    host: str, port: int, spool: Path, spool_bytes: int, wait_replicas: int, body_bytes: int, memory_watermark: float,
    trust_proxy: bool, public_url: str, projects: Path, redis_url: str, streamdefs: Path | None, ops_host: str,  # noqa: FBT001 - click's way
    ops_port: int, log_level: str,
) -> None:  # fmt: skip
    """Take what browsers send, and answer 2xx only when Redis has it. Any number may share one port."""
    defs = load(streamdefs)
    load_projects(projects)
    service.configure_logging("ingest", log_level)
    stopping = service.stop_signal()
    limits = Limits(
        body_bytes=body_bytes,
        memory_watermark=memory_watermark,
        trust_proxy=trust_proxy,
        public_url=public_url,
    )

    async def run() -> None:
        kept = Spool(spool, spool_bytes)
        door = Door(redis_url, defs, wait_replicas=wait_replicas)
        with Observer(redis_url, defs) as observer, service.OpsServer(ops_host, ops_port, lambda: ""):
            await serve(host, port, limits, defs, Watched(projects, load_projects), door, kept, observer, stopping)
        await door.close()
        kept.close()

    uvloop.run(run())


async def serve(  # noqa: PLR0913, PLR0917 - the rim: everything meets here
    host: str, port: int, limits: Limits, defs: StreamDefs, projects: Watched[Projects], door: Door, spool: Spool,
    observer: Observer, stopping: threading.Event,
) -> None:  # fmt: skip
    """Answer until `stopping` is set; then what is in hand is finished."""
    commit, losses = GroupCommit(door, spool), Losses()
    front = Front(projects.get, commit, losses, observer, defs, limits)
    runner = Runner(
        application(front, limits), losses.refused,
        access_log=None, auto_decompress=False, keepalive_timeout=75, shutdown_timeout=10,
    )  # fmt: skip
    await runner.setup()
    await web.TCPSite(runner, host, port, reuse_port=True, backlog=1024).start()
    log.info("ingest is open", host=host, port=port)
    chores = asyncio.gather(
        commit.drain_for_ever(), close_the_silent(runner, limits.header_seconds), _save(losses, door)
    )
    chores.add_done_callback(lambda _: stopping.set())  # a chore never ends by itself: a bug, and a new start helps
    await asyncio.to_thread(stopping.wait)
    await runner.cleanup()
    if not chores.cancel():
        chores.result()
    with suppress(asyncio.CancelledError):
        await chores
    await losses.save(door)


async def _save(losses: Losses, door: Door) -> None:
    while True:
        await asyncio.sleep(SAVE_EVERY)
        await losses.save(door)
