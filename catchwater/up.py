"""`catchwater up`: everything on this machine, after one command."""

from __future__ import annotations

import fcntl
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from catchwater import addresses, options, pipeline, projects, service, terminal
from catchwater.box import Box, Ports, servers, services
from catchwater.connection import Connection, Refused, Unavailable
from catchwater.embedded import ServerTrouble
from catchwater.streamdefs import load
from catchwater.supervisor import StartTrouble, Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event as Flag

    from catchwater.supervisor import Piece

DRAIN = 10.0
"""Seconds that what was accepted has to reach MongoDB at the end. What does not waits in Redis for the next start."""


@click.command("up")
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), default=Path("data"), show_default=True,
    help="The folder that holds everything: databases, projects.yaml, logs, pid files.",
)  # fmt: skip
@click.option("--ingest-port", type=click.IntRange(0, 65_535), default=8080, show_default=True, help="0: any free one.")
@click.option(
    "--dashboard-port", type=click.IntRange(0, 65_535), default=8081, show_default=True, help="0: any free one."
)
@click.option("--demo-port", type=click.IntRange(0, 65_535), default=8082, show_default=True, help="0: any free one.")
@click.option("--redis", default="", help="A Redis to use instead of an embedded one: redis://host:port/0")
@click.option("--mongo", default="", help="A MongoDB to use instead of an embedded one: mongodb://host:port")
@click.option("--scale", multiple=True, metavar="NAME=N", help="N processes of a stage, of ingest or of the sink.")
@options.public_url
@options.streamdefs
def command(  # noqa: PLR0913, PLR0917 - click hands over each option by its name
    data: Path, ingest_port: int, dashboard_port: int, demo_port: int, redis: str, mongo: str, scale: tuple[str, ...],
    public_url: str, streamdefs: Path | None,
) -> None:  # fmt: skip
    """Run all of Catchwater on this machine: servers, ingest, stages, sink, dashboard and a demo page.

    What dies is started again. Ctrl-C drains and ends; starting again finds everything.
    """
    defs = load(streamdefs)
    stopping = service.stop_signal()
    try:
        with terminal.lent_by_make(), only_one(data):
            ports = Ports.choose(ingest_port, dashboard_port, demo_port)
            scaled = _scaled(scale, [*defs.stages, "ingest"])
            box = Box(data.resolve(), ports, defs, streamdefs, scaled, redis, mongo, public_url)
            _run(box, Supervisor(data.resolve(), _say), stopping)
    except (ServerTrouble, StartTrouble) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """The folder is ours alone as long as this lasts. Raises ServerTrouble when it is another's, or not writable."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / "lock").open("w")
    except OSError as error:
        raise ServerTrouble(f"{data} cannot be used: {error.strerror}; choose another folder with --data") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ServerTrouble(
                f"a Catchwater runs on {data} already: stop it, or choose another folder with --data"
            ) from error
        yield


def _run(box: Box, supervisor: Supervisor, stopping: Flag) -> None:
    project = _first_project(box)
    started: list[list[Piece]] = []
    try:
        for title, pieces in (("servers", servers(box)), ("services", services(box))):
            _say(f"starting {title}: {', '.join(piece.name for piece in pieces) or 'none of our own'} ...")
            started.append(pieces)
            supervisor.start(pieces, 90, stopping)
        (box.data / "run" / "ports.json").write_bytes(orjson.dumps(box.ports_by_name()))
        if not stopping.is_set():
            click.echo(welcome(box, project))
        supervisor.watch(stopping)
        _say("ending: what was accepted is drained first ...")
        _drain(box, supervisor)
    finally:
        for pieces in reversed(started):
            supervisor.end(pieces)
    _say("ended; nothing is lost, start again at any time")


def _drain(box: Box, supervisor: Supervisor) -> None:
    """No new events, then the stages go on until nothing waits."""
    supervisor.end([piece for piece in supervisor.pieces if piece.name.startswith(("ingest", "demo"))])
    connection = Connection(box.redis_url)
    deadline = time.monotonic() + DRAIN
    try:
        while time.monotonic() < deadline and any(one.depth for one in pipeline.take(connection, box.defs).stages):
            time.sleep(0.05)
    except (Unavailable, Refused) as error:
        _say(f"cannot see what waits: {error}")
    finally:
        connection.close()


def _first_project(box: Box) -> projects.Project:
    if not box.projects.exists():
        projects.add(box.projects, "my site")
    return projects.load(box.projects).all[0]


def welcome(box: Box, project: projects.Project) -> str:
    """What a newcomer needs next."""
    ingest = addresses.of_project(project, box.ingest_url)
    return f"""
Catchwater is running. Everything it keeps is in {box.data}

  dashboard    http://127.0.0.1:{box.ports.dashboard}/
  demo page    http://127.0.0.1:{box.ports.demo}/
  script tag   <script src="{ingest}/c/{project.key}.js"></script>
  other tags   catchwater snippet {project.id} --projects {box.projects} --public-url {ingest}
  DSN          {ingest.replace("://", f"://{project.key}@")}/{project.id}

Ctrl-C ends it.
"""


def _scaled(scale: tuple[str, ...], known: list[str]) -> dict[str, int]:
    """`name=n` each. Raises BadParameter."""
    found = {}
    for one in scale:
        name, _, number = one.partition("=")
        if name not in known or not number.isdigit() or not 1 <= int(number) <= 64:
            raise click.BadParameter(
                f"{one!r}: write NAME=N with N from 1 to 64; known: {', '.join(known)}", param_hint="--scale"
            )
        found[name] = int(number)
    return found


def _say(text: str) -> None:
    click.echo(text, err=True)
