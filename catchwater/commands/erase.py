"""`catchwater erase`: takes the data of a user, an issue or a project out of everything stored."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say
from catchwater.config.streamdefs import load
from catchwater.issues.erasing import Eraser, names
from catchwater.monitoring.settling import settled
from catchwater.redis_client import Connection
from catchwater.streams import forgetting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.event import Event


@click.command("erase")
@options.whose
@click.option(
    "--wait",
    type=click.FloatRange(0, 86_400),
    default=60.0,
    show_default=True,
    help="Seconds to wait for events that are on their way, so that they are erased, too.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.redis_url
@options.mongo_url
@options.streamdefs
@finds_box
def command(
    user: str,
    issue: str,
    project: str,
    wait: float,
    yes: bool,
    redis_url: str,
    mongo_url: str,
    streamdefs: Path | None,
) -> None:
    """Erase what is stored of a user, an issue or a project. Nothing has to be stopped for it.

    Counts stay, so the audit still adds up. Is it cut short, then run it again: the end is the
    same. It exits with 1 when events were still on their way: then run it again, too. Ends of all
    this are in docs/privacy.md.
    """
    options.check_whose(user, issue, project)
    if not yes:
        what = " of ".join(part for part in (user, issue, project) if part)
        click.confirm(f"Erase everything of {what}, for good?", abort=True, err=True)
    defs = load(streamdefs)
    with closing(Connection(redis_url)) as connection, closing(Eraser(mongo_url)) as eraser:
        waited = settled(connection, defs, wait)
        erasure = Erasure(connection, defs, eraser)
        if user:
            said = erasure.user(user, project)
        else:
            said = erasure.issue(issue) if issue else erasure.project(project)
    say(said)
    if not waited:
        raise click.ClickException(
            f"events were still on their way after {wait:g} s: run it again when they are done "
            "(see `catchwater status`)"
        )


def _is_about(event: Event, user: str) -> bool:
    """Whether an event names a user; the body of one that is only counted was left out before."""
    who, tags = str(event.facts.get("user", "")), event.facts.get("tags")
    counted = {"user": {"counted": who.partition(":")[2]}, "tags": tags}
    return names(counted, user) or names(forgetting.body_of(event), user)


class Erasure:
    """One erasure. Redis comes first: what it counts would come back to MongoDB."""

    def __init__(self, connection: Connection, defs: StreamDefs, eraser: Eraser) -> None:
        self._connection = connection
        self._defs = defs
        self._eraser = eraser

    def user(self, user: str, project: str) -> str:
        letters = self._drop(
            lambda event: project in {"", event.project} and _is_about(event, user)
        )
        tagged = 0
        for issue, month, tags in list(self._eraser.tags_naming(user, project)):
            forgetting.tag_values(self._connection, self._defs, issue, month, tags, user)
            self._eraser.untag(user, issue, month, tags)
            tagged += len(tags)
        self._eraser.unfacet(user, project)
        samples = self._eraser.samples_of(user, project)
        return f"erased {samples} samples, {tagged} values of tags, {letters} dead letters"

    def issue(self, issue: str) -> str:
        letters = self._drop(lambda event: event.facts.get("issue") == issue)
        forgetting.all_tags(self._connection, self._defs, [issue])
        return f"erased {self._eraser.issue(issue)} samples, {letters} dead letters"

    def project(self, project: str) -> str:
        letters = self._drop(lambda event: event.project == project)
        issues = self._eraser.issues_of(project)
        forgetting.all_tags(self._connection, self._defs, issues)
        samples = self._eraser.project(project)
        return f"erased {len(issues)} issues, {samples} samples, {letters} dead letters"

    def _drop(self, wanted: Callable[[Event], bool]) -> int:
        return forgetting.drop_letters(self._connection, self._defs, wanted)
