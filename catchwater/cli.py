"""`catchwater`: one command, whose subcommands are loaded when they are called.

So a service needs only its own extra installed, and this package imports none of the services.
"""

from __future__ import annotations

import importlib
import sys

import click

from catchwater.connection import Refused, Unavailable
from catchwater.mistakes import Mistaken

COMMANDS = {
    "up": "catchwater.up:command",
    "ingest": "ingest.command:command",
    "stage": "catchwater.stage_command:command",
    "sink": "sink.command:command",
    "dashboard": "dashboard.command:command",
    "check": "catchwater.check:command",
    "status": "catchwater.status:command",
    "audit": "dashboard.audit_command:command",
    "dead": "catchwater.dead_command:command",
    "project": "catchwater.project_command:command",
    "snippet": "ingest.snippet_command:command",
    "explain": "stages.command:command",
    "sourcemaps": "stages.sourcemaps.command:command",
    "demo": "catchwater.demo_command:command",
}
_EXTRAS = {"ingest": "ingest", "stages": "stages", "sink": "sink", "dashboard": "dashboard", "catchwater": "all"}


class Lazy(click.Group):
    """A group whose commands are imported by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        try:
            command: click.Command = getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            extra = "sourcemaps" if cmd_name == "sourcemaps" else _EXTRAS[module.partition(".")[0]]
            raise click.ClickException(
                f"{cmd_name} needs the Python package {error.name!r}: pip install 'catchwater[{extra}]'"
            ) from error
        return command


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="catchwater")
def catchwater() -> None:
    """Catch the errors that happen in people's browsers, and count each exactly once."""


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration."""
    try:
        catchwater()
    except (Mistaken, Refused) as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except Unavailable as error:
        click.echo(f"{str(error).rstrip('.')}. Is it running, and is the address right?", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
