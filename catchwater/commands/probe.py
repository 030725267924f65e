"""`catchwater probe`: is what is accepted also shown, and how long does that take?"""

from __future__ import annotations

import base64
import time
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import click
import orjson
import structlog

from catchwater import metrics, service
from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say
from catchwater.config.projects import load as load_projects
from catchwater.config.streamdefs import load
from catchwater.errors import CatchwaterError, NotShownError
from catchwater.event import PROBES
from catchwater.issues.samples import SampleStore
from catchwater.monitoring.probing import SLOT_S, Probe
from catchwater.redis_client import Connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from catchwater.monitoring.probing import Shown

log = structlog.get_logger()

ANSWER_S = 10.0
"""Seconds that ingest or the dashboard may take to answer."""


@click.command("probe")
@options.public_url
@options.setting(
    "--dashboard-url",
    default="",
    help="Ask this dashboard for the event, too; without it, MongoDB alone.",
)
@options.setting(
    "--dashboard-password",
    default="",
    help="The dashboard's password. Better set by the environment: arguments can be seen.",
)
@options.setting(
    "--dashboard-token",
    default="",
    help="A read token, instead of the password: `catchwater token new` makes one.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 3600),
    default=60.0,
    show_default=True,
    help="Seconds after which a probe that is not shown has failed.",
)
@click.option(
    "--every",
    type=click.FloatRange(SLOT_S, 86_400),
    default=None,
    help="Send one again and again, so many seconds apart, and serve metrics on the ops port.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
@options.mongo_url
@options.projects
@options.service
@finds_box
def command(
    public_url: str,
    dashboard_url: str,
    dashboard_password: str,
    dashboard_token: str,
    timeout: float,
    every: float | None,
    as_json: bool,
    mongo_url: str,
    projects: Path,
    redis_url: str,
    streamdefs: Path | None,
    ops_host: str,
    ops_port: int,
    log_level: str,
) -> None:
    """Send an event by the public way, wait until it can be read, and say how long each hop took.

    It needs the project that `catchwater project add --probes` makes. Probes are counted, so the
    audit adds up, but they are in no list of issues, and their samples are removed. Exits with 1
    when the event is not shown in time, and says where it is.
    """
    address = _address(projects, public_url)
    sent = _authorization(dashboard_password, dashboard_token)
    asks = _asks(dashboard_url.rstrip("/"), sent) if dashboard_url else None
    with closing(Connection(redis_url)) as connection, closing(SampleStore(mongo_url)) as shelf:
        defs = load(streamdefs)

        def run() -> Shown:
            return Probe(connection, shelf, defs, _sends(address), asks).run(timeout)

        if every is None:
            say(_once(run, as_json=as_json))
            return
        service.configure_logging("probe", log_level)
        repeated = Repeated(run)
        with service.OpsServer(ops_host, ops_port, lambda: repeated.not_ready_reason):
            repeated.until(service.stop_signal().wait, every)


def _once(run: Callable[[], Shown], *, as_json: bool) -> str:
    try:
        shown = run()
    except NotShownError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        return orjson.dumps(shown).decode()
    lines = [f"{name:<12}{seconds:>9.3f} s" for name, seconds in shown.hops.items()]
    return "\n".join([f"event {shown.event_id}", *lines, f"{'in all':<12}{shown.seconds:>9.3f} s"])


class Repeated:
    """Probes, one after the other, as metrics."""

    def __init__(self, run: Callable[[], Shown]) -> None:
        self._run = run
        self.not_ready_reason = "no probe has been shown yet"
        metrics.PROBE_SHOWN.set(time.time())  # one that never succeeds is late from now on

    def until(self, stopped: Callable[[float], bool], every_s: float) -> None:
        """Until `stopped`, which waits so many seconds, says so."""
        while True:
            self.turn()
            if stopped(every_s):
                return

    def turn(self) -> None:
        """One probe. No error ends it: that something is wrong is what it is there to say."""
        try:
            shown = self._run()
        except CatchwaterError as error:
            self.not_ready_reason = str(error)
            metrics.PROBES.labels("not_shown").inc()
            log.warning("a probe was not shown", why=str(error))
            return
        self.not_ready_reason = ""
        metrics.PROBES.labels("shown").inc()
        metrics.PROBE_SHOWN.set(time.time())
        metrics.PROBE_SECONDS.labels("all").set(shown.seconds)
        for name, seconds in shown.hops.items():
            metrics.PROBE_SECONDS.labels(name).set(seconds)


def _address(projects: Path, public_url: str) -> str:
    """Where a probe is posted. Raises UsageError without a project for them."""
    found = load_projects(projects).by_id(PROBES)
    if found is None:
        raise click.UsageError(
            f"{projects} has no project for probes: `catchwater project add --probes` makes it"
        )
    return f"{found.ingest_url(public_url) or 'http://127.0.0.1:8080'}/e/{found.key}"


def _sends(address: str) -> Callable[[bytes], None]:
    def send(report: bytes) -> None:
        request = Request(address, report, {"Content-Type": "text/plain"})  # noqa: S310 - http or https, as projects.yaml checks
        try:
            with urlopen(request, timeout=ANSWER_S):  # noqa: S310 - as above
                return
        except HTTPError as error:
            error.close()
            raise NotShownError(
                f"{address} answers {error.code}: the probe is not accepted"
            ) from error
        except OSError as error:
            raise NotShownError(f"{address} cannot be reached: {error}") from error

    return send


def _authorization(password: str, token: str) -> dict[str, str]:
    """What the dashboard is sent with each request."""
    if token:
        return {"Authorization": f"Bearer {token}"}
    both = base64.b64encode(f"probe:{password}".encode()).decode()
    return {"Authorization": f"Basic {both}"} if password else {}


def _asks(dashboard_url: str, headers: dict[str, str]) -> Callable[[str], bool]:
    def shows(event_id: str) -> bool:
        request = Request(f"{dashboard_url}/api/events/{event_id}", headers=headers)  # noqa: S310 - the operator's own address
        try:
            with urlopen(request, timeout=ANSWER_S):  # noqa: S310 - as above
                return True
        except HTTPError as error:
            error.close()
            if error.code in (401, 403):
                raise NotShownError(
                    f"{dashboard_url} wants a password or another token: set "
                    "CATCHWATER_DASHBOARD_PASSWORD or CATCHWATER_DASHBOARD_TOKEN"
                ) from error
            return False
        except OSError as error:
            raise NotShownError(f"{dashboard_url} cannot be reached: {error}") from error

    return shows
