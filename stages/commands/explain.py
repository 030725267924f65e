"""`catchwater explain`: which issue a report belongs to, and why. Needs no server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import orjson

from catchwater import surrogates
from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say
from catchwater.visible import visible
from stages import project_settings
from stages.filters.unwanted import NO_ERROR, unwanted
from stages.fingerprint import READERS
from stages.grouping import grouped_event, project_code, stored_event, versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from stages.project_settings import ProjectSettings

# Fields that a Sentry event has and a report of the snippet has not.
_SENTRYS = frozenset(
    {
        "exception",
        "logentry",
        "event_id",
        "platform",
        "contexts",
        "timestamp",
        "request",
        "transaction",
        "threads",
    }
)
_READERS = {**READERS, "named": stored_event.read}


@click.command("explain")
@click.argument("files", metavar="[FILE]...", type=click.File("rb"), nargs=-1, default=("-",))
@click.option(
    "--diff", is_flag=True, help="Say of two reports why they are one issue, or why they are two."
)
@options.projects
@click.option(
    "--project",
    default="",
    metavar="ID",
    help="Apply this project's rules, and say which filter would drop.",
)
@finds_box
def command(files: tuple[BinaryIO, ...], diff: bool, projects: Path, project: str) -> None:
    """Print the fingerprint, the frames and the reasons for each report in the FILEs (or standard
    input).

    One JSON object a line: reports of the snippet, Sentry events, Reporting API reports, CSP
    reports, or the raw events that Catchwater stores. One JSON object a line comes out. A line that
    is none of these is named on standard error, the others go on, and the exit code is 1.

    With --diff there must be two reports, and what is printed is for people: what both have in
    common, what only the first has (-) and only the second (+), and what is ignored.
    """
    settings = _settings(projects, project) if project else None
    explained = _explained(files, settings)
    if diff:
        _diff([one for one in explained if one])
    else:
        wrong = 0
        for one in explained:
            wrong += one is None
            if one:
                say(one_line(one))
        sys.exit(1 if wrong else 0)


def _explained(
    files: Iterable[BinaryIO], settings: ProjectSettings | None
) -> Iterator[dict[str, Any] | None]:
    """Each report; None for a line that is none, which is told on standard error."""
    for file in files:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield explain(line, settings)
            except ValueError as error:
                say(f"line {number}: {error}", err=True)
                yield None


def _diff(reports: list[dict[str, Any]]) -> None:
    if len(reports) != 2:
        raise click.UsageError(
            f"--diff: two reports are needed, and {len(reports)} could be read; name two files of "
            "one each, or one of two lines"
        )
    for line in difference(*reports):
        say(line)


def difference(first: dict[str, Any], second: dict[str, Any]) -> Iterator[str]:
    """Why two explained reports are one issue or two, as lines for people."""
    same = first["fingerprint"] == second["fingerprint"]
    yield "one issue" if same else "two issues"
    yield from (f"  {part}" for part in first["used"] if part in second["used"])
    if not same:
        yield from (f"- {part}" for part in first["used"] if part not in second["used"])
        yield from (f"+ {part}" for part in second["used"] if part not in first["used"])
    ignored = [*first["ignored"], *second["ignored"]]
    for part in dict.fromkeys(one["part"] for one in ignored):
        why = next(one["why"] for one in ignored if one["part"] == part)
        yield f"  ignored: {part} ({why})"


def _read(text: bytes) -> Any:
    """As ingest reads it: half a pair of surrogates is allowed."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if b"\\u" not in text:
            raise
    return orjson.loads(surrogates.replaced_in_json(text))


def explain(line: bytes, settings: ProjectSettings | None = None) -> dict[str, Any]:
    """What is printed for one line.

    Raises ValueError with a reason if it is not one of the known shapes.
    """
    try:
        report = _read(line.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}; each line must hold one JSON object") from error
    if not isinstance(report, dict):
        raise ValueError(  # noqa: TRY004 - one kind of error for every line that cannot be used
            f"a JSON {type(report).__name__}, not an object; each line must hold a report or event"
        )
    details = _READERS[kind_of(report)](report)
    if settings:
        project_code.decide(details, settings.code)
    result, fingerprints = versions.group(details, settings.rules if settings else ())
    found = {"id": id_of(report), **grouped_event.identity(details, result, fingerprints)}
    if not details.is_error:
        found["dropped"] = NO_ERROR
    elif settings and (reason := unwanted(details, {}, settings.filters)):
        found["dropped"] = reason
    return found | ({"title": result.title} if result.title else {})


def _settings(path: Path, project: str) -> ProjectSettings:
    """Raises BadParameter for a project that is not in the file; ConfigError for a wrong file."""
    listed = project_settings.read(path)
    if project not in listed:
        known = ", ".join(listed) or "none"
        raise click.BadParameter(
            f"there is no project {project!r} in {path}; known: {known}", param_hint="--project"
        )
    return listed[project]


def one_line(report: dict[str, Any]) -> str:
    """JSON in what every reader takes for one line, and no terminal for a command."""
    return visible(orjson.dumps(report).decode())


def kind_of(report: dict[str, Any]) -> str:
    """Which reader understands a document, by its shape."""
    if "fingerprints" in report and "frames" in report:
        return "named"
    if "csp-report" in report:
        return "csp"
    if (
        isinstance(report.get("body"), dict)
        and isinstance(report.get("type"), str)
        and "message" not in report
    ):
        return "report"
    if not _SENTRYS.isdisjoint(report):
        return "sentry"
    return "sentry" if isinstance(report.get("sdk"), dict) else "snippet"


def id_of(report: dict[str, Any]) -> str | None:
    """The event's id, if the report brings one: 32 hexadecimal digits, as ingest would take it."""
    given = report.get("id") or report.get("event_id")
    return given.replace("-", "").lower() if isinstance(given, str) else None
