"""`catchwater password`: a hash of a password, for the dashboard's setting."""

from __future__ import annotations

import click

from catchwater.commands.printing import say
from dashboard.passwords import SHORTEST, Hash


@click.command("password")
@click.password_option("--password", help="Asked for where it is not given: arguments can be seen.")
def command(password: str) -> None:
    """Print what CATCHWATER_DASHBOARD_PASSWORD may hold instead of a password: its scrypt hash."""
    if len(password) < SHORTEST:
        raise click.BadParameter(f"{SHORTEST} or more characters are needed")
    say(str(Hash.of(password)))
