"""`catchwater sourcemaps apply`: names for events that were stored before their source maps."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say
from catchwater.config.streamdefs import SINK, load
from catchwater.errors import StageImportError
from catchwater.issues.late_maps import WaitingSamples
from catchwater.issues.samples import body_of
from catchwater.issues.store import IssueStore
from catchwater.sourcemaps.lookup import awaited
from catchwater.sourcemaps.upload.folder import plain_id
from catchwater.stage import StageEnvironment
from catchwater.streams.stage_loader import import_stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.event import Json
    from catchwater.stage import SecondLook

    Look = Callable[[Json], SecondLook | None]

MOST = 10_000
"""Samples that one call looks at; the next one goes on where it ended."""


@dataclass(slots=True)
class Applied:
    """What came of it. `continued`: issues that go on under another id, with that id."""

    looked_at: int = 0
    named: int = 0
    continued: dict[str, str] = field(default_factory=dict)
    split: list[str] = field(default_factory=list)
    about: dict[str, dict[str, Json]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        if self.named or self.looked_at >= MOST:
            yield f"{self.named:,} samples that were stored before have names of the source now"
        for one, other in self.continued.items():
            yield f"{one} is counted in {other} now, as events with their map are"
        for one in self.split:
            yield (
                f"{one} stays an issue of its own: not all of its samples are one issue with their "
                "maps; `catchwater issue merge` joins it with another"
            )
        if self.looked_at >= MOST:
            yield "there may be more: run `catchwater sourcemaps apply` again"


@click.command("apply")
@click.option(
    "--project", required=True, metavar="ID", help="The project's id: digits, as in its DSN."
)
@click.option("--release", default="", help="Events of this release; without it, of all.")
@click.option(
    "--debug-id", multiple=True, help="Events of scripts with these debug ids; may be repeated."
)
@options.mongo_url
@options.projects
@options.streamdefs
@options.maps_memory
@finds_box
def command(
    project: str,
    release: str,
    debug_id: tuple[str, ...],
    mongo_url: str,
    projects: Path,
    streamdefs: Path | None,
    maps_memory: int,
) -> None:
    """Show lines of the source for events that were stored before their source maps.

    `upload` and `serve` do it by themselves; an event that was still on its way then is found by
    this command. Counts do not change. An issue all of whose samples would be one other issue with
    their maps is counted in that one from then on.
    """
    environment = StageEnvironment(mongo_url, maps_memory, projects)
    maps = awaited(release, map(plain_id, debug_id))
    for line in apply_maps(load(streamdefs), environment, project, maps).lines():
        say(line)


def apply_after_upload(
    streamdefs: StreamDefs, environment: StageEnvironment, project: str, maps: Sequence[str]
) -> Iterator[str]:
    """The same for maps that were uploaded just now, as lines for people."""
    if not maps:
        return
    try:
        yield from apply_maps(streamdefs, environment, project, maps).lines()
    except StageImportError as error:
        yield (
            f"events that were stored before stay as they are ({error}): run `catchwater "
            "sourcemaps apply` where the stages are installed"
        )


def apply_maps(
    defs: StreamDefs, environment: StageEnvironment, project: str, maps: Sequence[str]
) -> Applied:
    """Look again at the samples of a project that wait for these maps; for any, if there are none.

    Raises UnavailableError while MongoDB is away: then what was not done is done the next time.
    Raises StageImportError where a stage is not installed, ConfigError where projects.yaml is
    wrong.
    """
    looks = list(_looks(defs, environment))
    found, at = Applied(), datetime.now(UTC)
    with (
        closing(WaitingSamples(environment.mongo_url)) as samples,
        closing(IssueStore(environment.mongo_url)) as issues,
    ):
        for look in looks:
            for sample in samples.waiting(project, maps, MOST):
                _look_at(samples, look, sample, found, at)
        for issue, about in found.about.items():
            _continue(samples, issues, issue, about, found, at)
        samples.wait_no_more(found.done)
    return found


def _looks(defs: StreamDefs, environment: StageEnvironment) -> Iterator[Look]:
    """How the stages of the pipeline look again, those that do."""
    for declared in defs.stages.values():
        for path in () if declared.run == [SINK] else declared.run:
            stage = import_stage(path)
            if stage.look_again and stage.open_resources:
                yield _bound(stage.look_again, stage.open_resources(environment))


def _bound(look: Callable[[Json, Any], SecondLook | None], resources: Any) -> Look:
    return lambda body: look(body, resources)


def _look_at(
    samples: WaitingSamples, look: Look, sample: dict[str, Any], applied: Applied, at: datetime
) -> None:
    applied.looked_at += 1
    body = body_of(sample)
    found = look(body) if isinstance(body, dict) else None  # a damaged one is not looked at
    if found is None:
        return
    samples.put(sample["_id"], found, at)
    applied.named += 1
    applied.about.setdefault(sample["issue"], {})[found.issue] = found.about
    if not found.awaits:
        applied.done.append(sample["_id"])


def _continue(
    samples: WaitingSamples,
    issues: IssueStore,
    issue: str,
    about: dict[str, Json],
    applied: Applied,
    at: datetime,
) -> None:
    """Before the samples wait no more: if this ends here, the next call does it."""
    if not any(one not in ("", issue) for one in about):
        return
    other = samples.sole_issue(issue)
    if other not in about:
        applied.split.append(issue)
    elif into := issues.continue_as(issue, other, about[other], at):
        applied.continued[issue] = into
