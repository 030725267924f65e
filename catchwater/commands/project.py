"""`catchwater project`: who may send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.config.projects import LONGEST_NAME, load
from catchwater.config.projects import add as add_project

if TYPE_CHECKING:
    from pathlib import Path


@click.group("project")
def command() -> None:
    """Who may send: the projects in projects.yaml. A running ingest sees changes within seconds."""


@command.command("list")
@options.projects
@finds_box
def list_(projects: Path) -> None:
    """One line each: id, key, name. `catchwater snippet ID` prints the script tags of one."""
    for one in load(projects).all:
        click.echo(f"{one.id}  {one.key}  {one.name}{'  (disabled)' if one.disabled else ''}")


@command.command()
@click.argument("name")
@options.projects
@finds_box
def add(name: str, projects: Path) -> None:
    """Add a project with a new key; prints its id, key and name.

    `catchwater snippet ID` prints its script tags.
    """
    if not 1 <= len(name) <= LONGEST_NAME:
        raise click.BadParameter(
            f"a name of 1 to {LONGEST_NAME} characters is needed", param_hint="NAME"
        )
    one = add_project(projects, name)
    click.echo(f"{one.id}  {one.key}  {one.name}")
    click.echo(f"its script tags: catchwater snippet {one.id} --projects {projects}", err=True)
