"""Settings that several commands take: each declared once, as an option and an environment variable."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


def _option(*names: str, **settings: Any) -> Callable[[F], F]:
    variable = "CATCHWATER_" + names[0].removeprefix("--").replace("-", "_").upper()
    return click.option(*names, envvar=variable, show_envvar=True, show_default=True, **settings)


redis_url = _option(
    "--redis-url", default="redis://127.0.0.1:6379/0", help="The Redis or Valkey that holds the streams."
)
mongo_url = _option("--mongo-url", default="mongodb://127.0.0.1:27017", help="The MongoDB that holds the issues.")
streamdefs = _option(
    "--streamdefs",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="The pipeline. Without it ./streamdefs.yaml, or else the one that is installed.",
)
projects = _option(
    "--projects", type=click.Path(path_type=Path, dir_okay=False), default=Path("projects.yaml"), help="Who may send."
)
ops_host = _option("--ops-host", default="127.0.0.1", help="Address of the ops port: /metrics, /healthz, /readyz.")
ops_port = _option("--ops-port", type=click.IntRange(0, 65_535), default=0, help="The ops port; 0: any free one.")
log_level = _option(
    "--log-level", type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]), default="INFO", help="What is logged."
)
consumer = _option(
    "--consumer",
    default="",
    help="This process's name in its consumer group; one that is stable finds its own work again after a crash. "
    "Without it, a new name each time.",
)


def service(command: F) -> F:
    """The options of every service."""
    for option in (log_level, ops_port, ops_host, streamdefs, redis_url):
        command = option(command)
    return command
