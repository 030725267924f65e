"""The Catchwater that `up` runs on this machine: the commands that look at one find it there.

What a command is told by an option or the environment wins.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
import orjson
from click.core import ParameterSource

from catchwater.commands import options
from catchwater.commands.printing import say
from catchwater.redaction import HIDDEN

if TYPE_CHECKING:
    from catchwater.commands.options import F

_GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)

SERVERS = ("redis_url", "mongo_url")
"""Settings that say where the servers of a running box are."""


@dataclass(frozen=True)
class Box:
    """A folder that `up` keeps everything in."""

    data: Path

    @property
    def ports(self) -> Path:
        """What `up` writes about itself while it runs."""
        return self.data / "run" / "ports.json"

    @property
    def projects(self) -> Path:
        return self.data / "projects.yaml"

    def is_running(self) -> bool:
        """Whether an `up` has it: only then it is locked."""
        try:
            lock = os.open(self.data / "lock", os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def settings(self) -> dict[str, str]:
        """Settings of commands that are to speak to it, by name; passwords are hidden in them."""
        found = {"projects": str(self.projects)} if self.projects.exists() else {}
        if self.is_running() and self.ports.exists():
            said = orjson.loads(self.ports.read_bytes())
            names = (*SERVERS, "streamdefs", "public_url")
            found |= {name: said[name] for name in names if said.get(name)}
        return found


def finds_box(command: F) -> F:
    """A command whose settings are, where nobody gives them, those of the box that runs here."""

    @click.pass_context
    def wrapped(context: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        if _is_elsewhere(context):
            kwargs |= _own_defaults(context)
        elif taken := _taken(context):
            _check_passwords(taken, kwargs)
            _say(context.meta[__name__])
        return context.invoke(command, *args, **kwargs)

    option = options.setting(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("data"),
        is_eager=True,
        expose_value=False,
        callback=_choose,
        help="The folder of the Catchwater that `up` runs: its servers and projects are meant "
        "where no setting says otherwise.",
    )
    return cast("F", option(update_wrapper(wrapped, command)))


def _choose(context: click.Context, option: click.Parameter, data: Path) -> None:
    """Before the other options are read. Raises BadParameter for a folder that is no box."""
    assert option.name
    box, settings = Box(data), {}
    given = context.get_parameter_source(option.name) in _GIVEN
    if given and not box.projects.exists():
        raise click.BadParameter(f"no Catchwater has run in {data}: there is no {box.projects}")
    if given or box.is_running() or not Path("projects.yaml").exists():
        settings = box.settings()
    context.default_map = {**(context.default_map or {}), **settings}
    context.meta[__name__] = box


def _is_elsewhere(context: click.Context) -> bool:
    """Whether the command is told of other servers, and of no box."""
    sources = [context.get_parameter_source(name) for name in (*SERVERS, "data")]
    return any(source in _GIVEN for source in sources[:-1]) and sources[-1] not in _GIVEN


def _taken(context: click.Context) -> list[str]:
    """Names of the settings that are the box's."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return [name for name, source in sources.items() if source == ParameterSource.DEFAULT_MAP]


def _own_defaults(context: click.Context) -> dict[str, Any]:
    own = {one.name: one.default for one in context.command.params}
    return {name: own[name] for name in _taken(context)}


def _check_passwords(taken: list[str], settings: dict[str, Any]) -> None:
    """Raises UsageError where the box's address cannot be used: `up` writes no password down."""
    for name in taken:
        if HIDDEN in str(settings[name]):
            raise click.UsageError(
                f"the address {settings[name]} has a password that is not written down: "
                f"set CATCHWATER_{name.upper()}"
            )


def _say(box: Box) -> None:
    state = "" if box.is_running() else ", which does not run"
    say(f"(the Catchwater in {box.data.resolve()}{state})", err=True)
