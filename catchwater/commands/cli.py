"""`catchwater`: one command, whose subcommands are loaded when they are called.

Each is an entry point of the group `catchwater.commands` (pyproject.toml). So a service needs only
its own extra installed, and this package names none of the services.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points, metadata

import click

from catchwater.commands.printing import say
from catchwater.errors import ConfigError, RefusedError, StageImportError, UnavailableError
from catchwater.surrogates import replaced


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of all subcommands, in alphabetical order."""
        return sorted(commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The subcommand; None where there is none of that name. Raises ClickException."""
        found = commands().get(cmd_name)
        if found is None:
            return None
        try:
            command: click.Command = found.load()
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"{cmd_name} needs the Python package {error.name!r}: "
                f"pip install 'catchwater[{_extra(found)}]'"
            ) from error
        return command


@cache
def commands() -> dict[str, EntryPoint]:
    """Every subcommand by its name."""
    return {one.name: one for one in entry_points(group="catchwater.commands")}


def _extra(command: EntryPoint) -> str:
    """The extra that has what a command needs: one of its own name, or of its package's, or all."""
    known = metadata("catchwater").get_all("Provides-Extra") or []
    package = command.module.partition(".")[0]
    return next((one for one in (command.name, package) if one in known), "all")


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="catchwater")
def catchwater() -> None:
    """Catch the errors that happen in people's browsers, and count each exactly once."""


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration."""
    try:
        catchwater()
    except (ConfigError, RefusedError, StageImportError) as error:
        say(str(error), err=True)
        sys.exit(2)
    except UnavailableError as error:
        reason = str(error).rstrip(".")
        say(f"{reason}. Is it running, and is the address right?", err=True)
        sys.exit(1)
    except ValueError:  # of an encoder, or of a check that met it first
        wrong = [one for one in sys.argv[1:] if replaced(one) != one]
        if not wrong:
            raise
        say(f"{wrong[0]!r} is no UTF-8: give it as text", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
