"""`catchwater up`: everything on this machine, after one command."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from catchwater import service
from catchwater.commands import options
from catchwater.commands.printing import say
from catchwater.config import projects
from catchwater.config.streamdefs import load
from catchwater.config.streamdefs import small as small_pipeline
from catchwater.errors import ProcessStartError, RefusedError, ServerStartError, UnavailableError
from catchwater.local import forking, terminal
from catchwater.local.processes import LocalProcesses, Ports
from catchwater.local.supervisor import Supervisor
from catchwater.monitoring import snapshot
from catchwater.redis_client import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event as Flag

    from catchwater.local.supervisor import ManagedProcess

PRIVATE = 0o077
"""The umask: what people's browsers sent, and keys, are for the user that runs this."""

DRAIN_S = 10.0
"""Seconds that what was accepted has to reach MongoDB at the end.

What does not waits in Redis for the next start.
"""


@click.command("up")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data"),
    show_default=True,
    help="The folder that holds everything: databases, projects.yaml, logs, pid files.",
)
@click.option(
    "--ingest-port",
    type=click.IntRange(0, 65_535),
    default=8080,
    show_default=True,
    help="0: any free one.",
)
@click.option(
    "--dashboard-port",
    type=click.IntRange(0, 65_535),
    default=8081,
    show_default=True,
    help="0: any free one.",
)
@click.option(
    "--demo-port",
    type=click.IntRange(0, 65_535),
    default=8082,
    show_default=True,
    help="0: any free one.",
)
@click.option(
    "--no-demo",
    is_flag=True,
    help="Without the demo page, which is for newcomers and takes 20 MB.",
)
@options.setting(
    "--redis",
    variable="REDIS_URL",
    default="",
    help="A Redis to use instead of an embedded one: redis://host:port/0. With a password better "
    "set by the environment: arguments can be seen.",
)
@options.setting(
    "--mongo",
    variable="MONGO_URL",
    default="",
    help="A MongoDB to use instead of an embedded one: mongodb://host:port. As above.",
)
@click.option(
    "--scale",
    multiple=True,
    metavar="NAME=N",
    help="N processes of a stage, of ingest or of the sink.",
)
@click.option(
    "--small",
    is_flag=True,
    help="The pipeline for a small machine: fewer processes, and half the work for Redis. For new "
    "data, which keeps it: see DIR/streamdefs.yaml.",
)
@options.public_url
@options.streamdefs
def command(
    data: Path,
    ingest_port: int,
    dashboard_port: int,
    demo_port: int,
    no_demo: bool,
    redis: str,
    mongo: str,
    scale: tuple[str, ...],
    small: bool,
    public_url: str,
    streamdefs: Path | None,
) -> None:
    """Run all of Catchwater on this machine: servers, ingest, stages, sink, dashboard and a
    demo page.

    What dies is started again. Ctrl-C drains and ends; starting again finds everything.
    """
    stopping = service.stop_signal()
    os.umask(PRIVATE)
    service.raise_file_limit()
    try:
        with terminal.borrowed_from_make(), only_one(data):
            streamdefs = _pipeline(data, streamdefs, small)
            defs = load(streamdefs)
            ports = Ports.choose(ingest_port, dashboard_port, None if no_demo else demo_port)
            scaled = _scaled(scale, [*defs.stages, "ingest"])
            local = LocalProcesses(
                data.resolve(),
                ports,
                defs,
                scaled,
                streamdefs=streamdefs,
                redis_url=redis,
                mongo_url=mongo,
                public_url=public_url,
            )
            _run(local, Supervisor(data.resolve(), _say), stopping)
    except (ServerStartError, ProcessStartError) as error:
        raise click.ClickException(str(error)) from error


def _pipeline(data: Path, streamdefs: Path | None, small: bool) -> Path | None:
    """The declared pipeline: what began with the small one has its file in the folder."""
    own = data / "streamdefs.yaml"
    if small and streamdefs:
        raise click.UsageError("--small and --streamdefs both name a pipeline: leave one out")
    if small and not own.exists():
        if (data / "redis").exists():
            raise ServerStartError(
                f"{data} began with another pipeline, and events would be counted twice: leave out "
                "--small, or choose another folder with --data"
            )
        shutil.copyfile(small_pipeline(), own)
    return streamdefs or (own if own.exists() else None)


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Lock the folder against another `up`.

    Raises ServerStartError when one runs on it, or it is not writable.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        with suppress(PermissionError):  # it is somebody else's: what we write is private anyway
            data.chmod(0o700)
        lock = (data / "lock").open("w")
    except OSError as error:
        raise ServerStartError(
            f"{data} cannot be used: {error.strerror}; choose another folder with --data"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ServerStartError(
                f"a Catchwater runs on {data} already: stop it, or choose another folder with "
                f"--data"
            ) from error
        yield


def _run(local: LocalProcesses, supervisor: Supervisor, stopping: Flag) -> None:
    project = _first_project(local)
    servers, services = local.servers(), local.services()
    started: list[list[ManagedProcess]] = []

    def start(title: str, some: list[ManagedProcess], meanwhile: Callable[[], None]) -> None:
        names = ", ".join(process.name for process in some) or "none of our own"
        _say(f"starting {title}: {names} ...")
        started.append(some)
        supervisor.start(some, 90, stopping, meanwhile)

    try:
        start("servers", servers, lambda: forking.preload(one.command[0] for one in services))
        start("services", services, lambda: None)
        (local.data / "run" / "ports.json").write_bytes(orjson.dumps(local.ports_by_name()))
        if not stopping.is_set():
            say(welcome(local, project))
        supervisor.watch(stopping, local.chore)
        _say("ending: what was accepted is drained first ...")
        _drain(local, supervisor)
    finally:
        for processes in reversed(started):
            supervisor.stop(processes)
        local.close()
        local.remove_sockets()
    _say("ended; nothing is lost, start again at any time")


def _drain(local: LocalProcesses, supervisor: Supervisor) -> None:
    """Accept no new events, and let the stages go on until nothing waits."""
    local.close()
    accepting = ("ingest", "demo")
    supervisor.stop([one for one in supervisor.processes if one.name.startswith(accepting)])
    connection = Connection(local.redis_url)
    deadline = time.monotonic() + DRAIN_S
    try:
        while time.monotonic() < deadline and any(
            one.depth for one in snapshot.take(connection, local.defs).stages
        ):
            time.sleep(0.05)
    except (UnavailableError, RefusedError) as error:
        _say(f"cannot see what waits: {error}")
    finally:
        connection.close()


def _first_project(local: LocalProcesses) -> projects.Project:
    if not local.projects.exists():
        projects.add(local.projects, "my site")
    return projects.load(local.projects).all[0]


def welcome(local: LocalProcesses, project: projects.Project) -> str:
    """What a newcomer needs next."""
    ingest, demo = project.ingest_url(local.ingest_url), local.ports.demo_url
    demo_line = f"  demo page    {demo}\n" if demo else ""
    return f"""
Catchwater is running. Everything it stores is in {local.data}

  dashboard    http://127.0.0.1:{local.ports.dashboard}/
{demo_line}  script tag   <script src="{ingest}/c/{project.key}.js"></script>
  DSN          {ingest.replace("://", f"://{project.key}@")}/{project.id}
  commands     {command_line()} status, audit, dead list, project list, snippet {project.id} ...

Ctrl-C ends it.
"""


def command_line() -> str:
    """How people call this program: by its name where that finds it, else by its place."""
    installed = Path(sys.executable).with_name("catchwater")
    if not installed.exists() or shutil.which("catchwater") == str(installed):
        return "catchwater"
    here = Path.cwd()
    return str(installed.relative_to(here) if here in installed.parents else installed)


def _scaled(scale: tuple[str, ...], known: list[str]) -> dict[str, int]:
    """`name=n` each. Raises BadParameter."""
    found = {}
    for one in scale:
        name, _, number = one.partition("=")
        if name not in known or not number.isdigit() or not 1 <= int(number) <= 64:
            raise click.BadParameter(
                f"{one!r}: write NAME=N with N from 1 to 64; known: {', '.join(known)}",
                param_hint="--scale",
            )
        found[name] = int(number)
    return found


def _say(text: str) -> None:
    say(text, err=True)
