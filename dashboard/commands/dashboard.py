"""`catchwater dashboard`: the process that shows what was caught."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click
import structlog

from catchwater import metrics, service
from catchwater.commands import options
from catchwater.config.streamdefs import StreamDefs, load
from catchwater.http_server import Runner
from catchwater.monitoring.poller import PipelinePoller
from dashboard import passwords
from dashboard.app import application
from dashboard.context import AppContext
from dashboard.passwords import SHORTEST
from dashboard.project_figures import FiguresReader
from dashboard.project_gauges import ProjectGauges
from dashboard.project_names import ProjectNames
from dashboard.proxy_sign_in import ProxySignIn
from dashboard.reader import MongoReader
from dashboard.rendering import Renderer
from dashboard.security import HEADERS, Guard, loopback
from dashboard.stored_counts import StoredCounts
from dashboard.tokens import Tokens

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from catchwater.addresses import TrustedProxies

log = structlog.get_logger()

POLL_EVERY_S = 2.0
"""Seconds between readings while nobody looks: Prometheus and the rates need them."""


def _password(_context: click.Context, _option: click.Parameter, value: str) -> str:
    try:
        passwords.parse(value)
    except ValueError as error:
        raise click.BadParameter(
            "it begins with scrypt: and is no hash: `catchwater password` makes one"
        ) from error
    return value


def _tokens(_context: click.Context, _option: click.Parameter, value: str) -> Tokens:
    try:
        return Tokens.parse(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}; `catchwater token new` makes one") from error


@click.command("dashboard")
@click.option(
    "--host",
    default="127.0.0.1",
    envvar="CATCHWATER_DASHBOARD_HOST",
    show_envvar=True,
    show_default=True,
    help="Address to listen on. Other than this machine's own needs a password.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8081,
    envvar="CATCHWATER_DASHBOARD_PORT",
    show_envvar=True,
    show_default=True,
    help="Port to listen on; 0: any free one, see the log.",
)
@click.option(
    "--password",
    default="",
    envvar="CATCHWATER_DASHBOARD_PASSWORD",
    show_envvar=True,
    callback=_password,
    help=(
        "What people have to know, or its hash, which `catchwater password` makes. Better set by "
        "the environment: arguments can be seen."
    ),
)
@options.setting(
    "--tokens",
    variable="DASHBOARD_TOKENS",
    default="",
    callback=_tokens,
    help="Read tokens of programs, as hashes with commas between them: `catchwater token new` "
    "makes one.",
)
@options.setting(
    "--sign-in-header",
    variable="DASHBOARD_SIGN_IN_HEADER",
    default="",
    help="The header in which a proxy in front names who is signed in, such as X-Forwarded-User.",
)
@options.setting(
    "--sign-in-proxies",
    variable="DASHBOARD_SIGN_IN_PROXIES",
    default="",
    help="The networks of that proxy alone: from others the header is not believed.",
)
@click.option(
    "--ingest-url",
    default="http://127.0.0.1:8080",
    envvar="CATCHWATER_INGEST_URL",
    show_envvar=True,
    show_default=True,
    help="Where browsers reach ingest; shown to newcomers in the script tag.",
)
@click.option(
    "--demo-url",
    default="",
    envvar="CATCHWATER_DEMO_URL",
    show_envvar=True,
    help="A page that throws errors on purpose; shown to newcomers.",
)
@options.trust_proxy("DASHBOARD_TRUST_PROXY")
@options.mongo_url
@options.projects
@options.service
def command(
    host: str,
    port: int,
    password: str,
    tokens: Tokens,
    sign_in_header: str,
    sign_in_proxies: str,
    ingest_url: str,
    demo_url: str,
    trust_proxy: TrustedProxies,
    mongo_url: str,
    projects: Path,
    redis_url: str,
    streamdefs: Path | None,
    ops_host: str,
    ops_port: int,
    log_level: str,
) -> None:
    """Show what was caught, in a browser and as JSON. It only reads."""
    sign_in = _sign_in(sign_in_header, sign_in_proxies)
    guard = Guard(host, password, trust_proxy, tokens, sign_in)
    _check(guard)
    defs = load(streamdefs)
    service.configure_logging("dashboard", log_level)
    stopping = service.stop_signal()

    async def run() -> None:
        context = make_context(redis_url, mongo_url, defs, projects, ingest_url, demo_url)
        with service.OpsServer(ops_host, ops_port, lambda: context.poller.not_ready_reason):
            await serve(context, guard, host, port, stopping)

    asyncio.run(run())


def _sign_in(header: str, networks: str) -> ProxySignIn:
    try:
        return ProxySignIn.of(header.strip(), networks.strip())
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _check(guard: Guard) -> None:
    """Raises UsageError where other machines could read, or guess."""
    if loopback(guard.host):
        return
    if not guard.locked:
        raise click.UsageError(
            f"--host {guard.host} can be reached from other machines, and no password is set: "
            "set --password or CATCHWATER_DASHBOARD_PASSWORD, or listen on 127.0.0.1"
        )
    if 0 < len(guard.password) < SHORTEST:
        raise click.UsageError(
            f"the password has {len(guard.password)} characters, and --host {guard.host} can be "
            f"reached from other machines: {SHORTEST} or more are needed; `openssl rand -base64 "
            "15` makes one"
        )


def make_context(
    redis_url: str,
    mongo_url: str,
    defs: StreamDefs,
    projects: Path,
    ingest_url: str,
    demo_url: str = "",
) -> AppContext:
    """Everything the handlers need.

    Neither server has to be up yet. To be called inside the event loop.
    """
    stored_counts, names = StoredCounts(mongo_url), ProjectNames.read(projects)
    return AppContext(
        store=MongoReader(mongo_url),
        stored_counts=stored_counts,
        poller=PipelinePoller(redis_url, defs, stored_counts, every_s=POLL_EVERY_S),
        gauges=ProjectGauges(FiguresReader(mongo_url), names.by_id),
        names=names,
        renderer=Renderer(),
        ingest_url=ingest_url.rstrip("/"),
        demo_url=demo_url,
    )


async def serve(
    context: AppContext, guard: Guard, host: str, port: int, stopping: threading.Event
) -> None:
    """Answer until `stopping` is set."""
    malformed = metrics.MALFORMED.labels("dashboard").inc
    runner = Runner(application(context, guard), HEADERS, malformed, shutdown_timeout=2)

    def opened(bound: int) -> None:
        log.info("dashboard is open", url=f"http://{host}:{bound}/", port=bound)

    try:
        await runner.serve_until(stopping, host, port, opened)
    except OSError as error:
        raise click.ClickException(
            f"port {port} of {host} cannot be opened ({error.strerror}): is another dashboard "
            f"running? "
            "Choose another with --port or CATCHWATER_DASHBOARD_PORT"
        ) from error
