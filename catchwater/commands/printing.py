"""What commands print: much of it is of strangers, and a terminal obeys control characters."""

from __future__ import annotations

import click

from catchwater.visible import visible


def say(text: str | bytes, *, err: bool = False) -> None:
    """A line, or several, to standard output, or with `err` to standard error."""
    click.echo(visible(text if isinstance(text, str) else text.decode()), err=err)
