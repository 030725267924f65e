"""`catchwater token`: read tokens for the dashboard's JSON API."""

from __future__ import annotations

import click

from catchwater.commands.printing import say
from dashboard import tokens
from dashboard.tokens import ReadToken


@click.group("token")
def command() -> None:
    """Read tokens: what programs send to the dashboard instead of its password."""


@command.command("new")
@click.option(
    "--project", default="", help="The id of the only project that it shows; without it, all."
)
def new(project: str) -> None:
    """Print a new token, once, and the line of settings that makes it valid.

    The token goes to the program, which sends it as `Authorization: Bearer TOKEN`, and the line to
    the dashboard. It holds a hash, which opens nothing.
    """
    token = tokens.new()
    try:
        setting = ReadToken.parse(str(ReadToken.of(token, project)))
    except ValueError as error:
        raise click.BadParameter(
            f"{project!r} is no project's id: `catchwater project list` has them",
            param_hint="--project",
        ) from error
    say(token)
    say(f"CATCHWATER_DASHBOARD_TOKENS={setting}")
    say(
        "The first line is for the program and is not shown again; the second is for the "
        "dashboard's environment, after a comma where tokens are set there already.",
        err=True,
    )
