"""What commands print: much of it is of strangers, and a terminal obeys control characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from catchwater.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable


def say(text: str | bytes, *, err: bool = False) -> None:
    """A line, or several, to standard output, or with `err` to standard error."""
    click.echo(visible(text if isinstance(text, str) else text.decode()), err=err)


def say_each(lines: Iterable[str | bytes], none: str) -> None:
    """Each of them; where there are none, `none` to standard error, which programs do not read."""
    empty = True
    for line in lines:
        say(line)
        empty = False
    if empty:
        say(f"({none})", err=True)
