"""Settings that several commands take: each declared once, as an option and an environment
variable.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from catchwater.addresses import TrustedProxies
from catchwater.config import projects as projects_file

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


def setting(name: str, *, variable: str = "", **more: Any) -> Callable[[F], F]:
    """An option that an environment variable sets too:

    `--redis-url` is CATCHWATER_REDIS_URL unless named.
    """
    envvar = "CATCHWATER_" + (variable or name.removeprefix("--").replace("-", "_").upper())
    return click.option(name, envvar=envvar, show_envvar=True, show_default=True, **more)


redis_url = setting(
    "--redis-url",
    default="redis://127.0.0.1:6379/0",
    help="The Redis or Valkey that holds the streams: redis://, rediss://, unix://, "
    "redis+sentinel://s1:26379,s2:26379/name/0 or redis+cluster://n1:6379,n2:6379",
)
mongo_url = setting(
    "--mongo-url", default="mongodb://127.0.0.1:27017", help="The MongoDB that holds the issues."
)
maps_memory = setting(
    "--maps-memory",
    type=click.IntRange(1, 65_536),
    default=32,
    help="MB of parsed source maps that a stage holds; a larger map is not used.",
)
streamdefs = setting(
    "--streamdefs",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="The pipeline. Without it ./streamdefs.yaml, or else the one that is installed.",
)
projects = setting(
    "--projects",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("projects.yaml"),
    help="Who may send, and each project's filters and rules.",
)


_YES_OR_NO = {"true": "1", "yes": "1", "on": "1", "false": "0", "no": "0", "off": "0", "": "0"}


def _proxies(_context: click.Context, _option: click.Parameter, value: str) -> TrustedProxies:
    try:
        return TrustedProxies.parse(_YES_OR_NO.get(value.lower(), value))
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} is no number of proxies and no list of networks: {error}"
        ) from error


def trust_proxy(variable: str) -> Callable[[F], F]:
    """Each server has a variable of its own: one may stand behind a proxy, and another be reached
    by anybody, who could then invent an address.
    """
    return setting(
        "--trust-proxy",
        variable=variable,
        is_flag=False,
        flag_value="1",
        default="0",
        callback=_proxies,
        help="Believe X-Forwarded-For, Forwarded or X-Real-IP of so many proxies in a row (1 "
        "without a number), or of those of networks: 10.0.0.0/8,127.0.0.1. Only behind proxies "
        "that set it.",
    )


def _address(_context: click.Context, _option: click.Parameter, value: str) -> str:
    try:
        return projects_file.public_url(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


public_url = setting(
    "--public-url",
    default="",
    callback=_address,
    help="How browsers reach ingest, such as https://errors.example or "
    "https://shop.example/assets/cw; else as they "
    "ask for the script. A project's `url` wins over it.",
)
ops_host = setting(
    "--ops-host", default="127.0.0.1", help="Address of the ops port: /metrics, /healthz, /readyz."
)
ops_port = setting(
    "--ops-port", type=click.IntRange(0, 65_535), default=0, help="The ops port; 0: any free one."
)
log_level = setting(
    "--log-level",
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]),
    default="INFO",
    help="What is logged.",
)


def _with_host(_context: click.Context, _option: click.Parameter, name: str) -> str:
    """A container that is started again keeps its host name, so this is a stable name there."""
    return name.replace("%H", socket.gethostname())


consumer = setting(
    "--consumer",
    default="",
    callback=_with_host,
    help="This process's name in its consumer group; one that is stable finds its own work again "
    "after a crash. %H in it is the host name. Without it, a new name each time.",
)


_WHOSE = (
    click.option("--user", default="", help="What pages call a user: id, e-mail, name or address."),
    click.option("--issue", default="", help="An issue's id: its texts, tags and samples."),
    click.option(
        "--project", default="", help="All of a project; or of --user, in that project only."
    ),
)


def whose(command: F) -> F:
    """Whose data a command is about: `check_whose` says whether that is clear."""
    for option in reversed(_WHOSE):
        command = option(command)
    return command


def check_whose(user: str, issue: str, project: str) -> None:
    if bool(issue) == bool(user or project):
        raise click.UsageError("say --user, --issue or --project (or --user in a --project)")


def service(command: F) -> F:
    """The options of every service."""
    for option in (log_level, ops_port, ops_host, streamdefs, redis_url):
        command = option(command)
    return command
