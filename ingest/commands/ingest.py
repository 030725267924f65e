"""`catchwater ingest`: takes what browsers send."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import structlog
import uvloop

from catchwater import service
from catchwater.commands import options
from catchwater.commands.options import F, setting
from catchwater.config.projects import load as load_projects
from catchwater.config.reloading import Reloading
from catchwater.config.streamdefs import load
from catchwater.errors import RefusedError, UnavailableError
from catchwater.http_server import Runner
from catchwater.monitoring.poller import PipelinePoller
from catchwater.streams.producer import EventProducer
from ingest import listening, reports, responses
from ingest.admission import Admission
from ingest.confirmed import ConfirmedCounts
from ingest.draining import SpoolDrain
from ingest.durability import Durability
from ingest.in_flight import InFlight
from ingest.node_batchers import NodeBatchers
from ingest.rates import Rates
from ingest.server import IngestHandlers, application
from ingest.settings import Limits
from ingest.spool import Spool
from ingest.unaccepted import UnacceptedCounts

if TYPE_CHECKING:
    import threading
    from collections.abc import AsyncIterator, Coroutine, Sequence

    from catchwater.addresses import TrustedProxies

log = structlog.get_logger()

SAVE_EVERY_S = 1.0
"""Seconds between savings of what was refused."""


DEFAULTS = Limits()

SERVER: dict[str, Any] = {
    "auto_decompress": False,  # decompression.py does it, with a bound
    "shutdown_timeout": 10,
}
"""Settings of aiohttp's server."""

OPTIONS = (
    setting(
        "--host",
        variable="INGEST_HOST",
        default="127.0.0.1",
        help="Address to listen on; 0.0.0.0: all.",
    ),
    setting(
        "--port",
        variable="INGEST_PORT",
        default=8080,
        type=click.IntRange(0, 65_535),
        help="Port to listen on. Several processes may share one.",
    ),
    setting(
        "--fd",
        variable="INGEST_FD",
        type=click.IntRange(3),
        help="A listening socket that this process inherited, instead of host and port. One from "
        "systemd is found without it.",
    ),
    setting(
        "--spool",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("spool"),
        help="Folder where events wait while Redis is away.",
    ),
    setting(
        "--spool-bytes",
        default=256_000_000,
        type=click.IntRange(1_000_000),
        help="How large the spool may become; then ingest answers 503.",
    ),
    setting(
        "--wait-replicas",
        default=0,
        type=click.IntRange(0),
        help="Replicas of Redis that must have an event before it is answered.",
    ),
    setting(
        "--allow-loss",
        is_flag=True,
        help="Start although a crash of Redis's machine may lose events that were answered with "
        "2xx.",
    ),
    setting(
        "--body-bytes",
        default=DEFAULTS.body_bytes,
        type=click.IntRange(1000),
        help="The largest envelope, packed or unpacked.",
    ),
    setting(
        "--event-bytes",
        default=DEFAULTS.event_bytes,
        type=click.IntRange(1000, reports.EVENT_LIMIT),
        help="The largest event; a longer one is cut.",
    ),
    setting(
        "--in-flight-bytes",
        default=DEFAULTS.in_flight_bytes,
        type=click.IntRange(1_000_000),
        help="How much of all posts is in memory at once; then ingest answers 503. One project may "
        "have two thirds of it.",
    ),
    setting(
        "--memory-watermark",
        default=0.85,
        type=click.FloatRange(0.1, 1.0),
        help="Share of Redis's maxmemory above which ingest answers 503.",
    ),
    options.trust_proxy("TRUST_PROXY"),
    options.public_url,
)


def front(command: F) -> F:
    """The options of ingest."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command("ingest")
@front
@options.projects
@options.service
def command(
    host: str,
    port: int,
    fd: int | None,
    spool: Path,
    spool_bytes: int,
    wait_replicas: int,
    allow_loss: bool,
    body_bytes: int,
    event_bytes: int,
    in_flight_bytes: int,
    memory_watermark: float,
    trust_proxy: TrustedProxies,
    public_url: str,
    projects: Path,
    redis_url: str,
    streamdefs: Path | None,
    ops_host: str,
    ops_port: int,
    log_level: str,
) -> None:
    """Take what browsers send, and answer 2xx only when Redis has it.

    Any number may share one port.
    """
    defs = load(streamdefs)
    load_projects(projects)
    service.configure_logging("ingest", log_level)
    stopping = service.stop_signal()
    limits = Limits(body_bytes, event_bytes, in_flight_bytes, trust_proxy, public_url)

    async def run() -> None:
        producer = EventProducer(redis_url, defs, wait_replicas=wait_replicas)
        poller = PipelinePoller(redis_url, defs)
        file, unaccepted = Reloading(projects, load_projects), UnacceptedCounts()
        async with (
            checked(producer, allow_loss=allow_loss) as durability,
            saved(unaccepted, producer, spool) as saving,
        ):
            with closing(Spool(spool, spool_bytes)) as stored, poller:
                batcher = NodeBatchers(producer, stored)
                rates, in_flight = Rates(producer), InFlight(limits.in_flight_bytes)
                room = memory_watermark, poller.latest, stored.fill
                admission = Admission(defs, *room, rates, in_flight)
                handlers = IngestHandlers(file.get, batcher, unaccepted, admission, limits)
                chores = [SpoolDrain(producer, stored).run(), durability.watch(), saving]
                with service.OpsServer(ops_host, ops_port, lambda: _reason(batcher, durability)):
                    await serve(host, port, fd, limits, handlers, unaccepted, chores, stopping)

    uvloop.run(run())


@asynccontextmanager
async def checked(producer: EventProducer, *, allow_loss: bool) -> AsyncIterator[Durability]:
    """Closes the producer at the end. While Redis is away, events are spooled.

    Raises ClickException where this Redis will never take events, or may lose them.
    """
    durability = Durability(producer, allow_loss=allow_loss)
    try:
        try:
            await producer.check()
            await durability.check()
        except UnavailableError as error:
            log.warning("events will be spooled", why=str(error))
        yield durability
    except RefusedError as error:
        raise click.ClickException(f"Redis cannot be used: {error}") from error
    finally:
        await producer.close()


@asynccontextmanager
async def saved(
    unaccepted: UnacceptedCounts, producer: EventProducer, folder: Path
) -> AsyncIterator[Coroutine[Any, Any, None]]:
    """Counts are saved by the coroutine, each second, and once more at the end."""
    with closing(ConfirmedCounts(folder, producer.sender)) as confirmed:
        yield _save(unaccepted, producer, confirmed)
        confirmed.save(producer.confirmed)
        await unaccepted.save(producer)


def _reason(batcher: NodeBatchers, durability: Durability) -> str:
    """Why ingest is not ready; '' when it is."""
    return batcher.not_ready_reason or durability.not_ready_reason


async def serve(
    host: str,
    port: int,
    fd: int | None,
    limits: Limits,
    handlers: IngestHandlers,
    unaccepted: UnacceptedCounts,
    chores: Sequence[Coroutine[Any, Any, None]],
    stopping: threading.Event,
) -> None:
    """Answer until `stopping` is set; then finish the requests that have begun.

    `chores` run meanwhile. They never end by themselves: if one does, that is a bug, and a new
    start helps.
    """
    app, malformed = application(handlers, limits), partial(unaccepted.refused, "not_http")
    runner = Runner(app, responses.CORS, malformed, **SERVER)
    await runner.setup()
    site = listening.make_site(runner, host, port, fd or listening.inherited_fd(os.environ))
    await site.start()
    log.info("ingest is open", at=site.name)
    running = asyncio.gather(*chores, runner.close_idle_connections(limits.header_seconds))
    running.add_done_callback(lambda _: stopping.set())
    await asyncio.to_thread(stopping.wait)
    await listening.close_gently(runner, site, runner.app[listening.CLOSING])
    if not running.cancel():
        running.result()
    with suppress(asyncio.CancelledError):
        await running


async def _save(
    unaccepted: UnacceptedCounts, producer: EventProducer, confirmed: ConfirmedCounts
) -> None:
    while True:
        await asyncio.sleep(SAVE_EVERY_S)
        lost = 0
        with suppress(UnavailableError, RefusedError):
            lost += await producer.lost()
            lost += await confirmed.lost(producer)
        confirmed.save(producer.confirmed)  # first: killed here, a loss is not told twice
        if lost:
            log.error("Redis fell back to an earlier state", events_lost=lost)
            unaccepted.lost(lost)
        await unaccepted.save(producer)
