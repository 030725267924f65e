"""Groups an event: parses its stack, normalises it, and finds the issue it belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from catchwater.answers import Answer, Drop, Emit, Reject
from catchwater.event import Event
from catchwater.sourcemaps.opening import open_maps
from catchwater.stage import SecondLook, StageEnvironment, stage
from stages import known_errors, project_settings, second_look
from stages.counted_facts import facts_of, issue_of
from stages.filters.unwanted import unwanted
from stages.grouping import (
    browser,
    grouped_event,
    project_code,
    sentry,
    snippet,
    user_agents,
    versions,
)
from stages.grouping.parsed_event import ParsedEvent
from stages.grouping.source_frames import resolve
from stages.known_errors import KnownError, KnownErrors
from stages.sample_quota import SampleQuota
from stages.scrubbing.events import scrub

if TYPE_CHECKING:
    from catchwater.sourcemaps.lookup import Maps
    from stages.existing_issues import ExistingIssues
    from stages.project_settings import ProjectSettings

READERS: dict[str, Callable[[dict[str, Any]], ParsedEvent]] = {
    "snippet": snippet.read,
    "sentry": sentry.read,
    "report": browser.read,
    "csp": browser.read,
}


@dataclass(frozen=True, slots=True)
class Resources:
    """What the stage needs from outside.

    `existing_issues` is used only during a change-over of versions of grouping. With a `quota`
    events beyond it are only counted, and go on without a body.
    """

    settings_of: Callable[[str], ProjectSettings] = project_settings.default
    maps: Maps | None = None
    existing_issues: ExistingIssues | None = None
    quota: SampleQuota | None = None
    known: KnownErrors = field(default_factory=KnownErrors)


NOTHING_OPENED = Resources()
"""No source maps, every project has the defaults, and every event is whole."""


def open_resources(environment: StageEnvironment) -> Resources:
    """What `environment` points to. MongoDB need not be there yet. Raises ConfigError."""
    settings = project_settings.SettingsFile(environment.projects)
    changing_over = len(versions.VERSIONS) > 1
    return Resources(
        settings.of,
        open_maps(environment.mongo_url, environment.maps_memory_mb),
        _existing_issues(environment.mongo_url) if changing_over else None,
        SampleQuota(environment.samples) if environment.samples else None,
    )


def _existing_issues(mongo_url: str) -> ExistingIssues:
    from stages.existing_issues import ExistingIssues  # noqa: PLC0415 - pymongo is needed only here

    return ExistingIssues(mongo_url)


def load_user_agents() -> None:
    """Load the rules for user agents (0.3 s) before the first event comes, not while it waits."""
    user_agents.client(
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36"
    )


def look_again(sample: dict[str, Any], resources: Resources) -> SecondLook | None:
    """What a sample is with the source maps that are there now."""
    project = str(sample.get("project"))
    return second_look.look_again(sample, project, resources.settings_of(project), resources.maps)


@stage(open_resources=open_resources, warm_up=load_user_agents, look_again=look_again)
def fingerprint(event: Event, resources: Resources = NOTHING_OPENED) -> Answer:
    """The grouped event, or a drop where the project's filters call it noise."""
    return answer(event, resources.settings_of(event.project), resources)


def answer(
    event: Event, settings: ProjectSettings, resources: Resources = NOTHING_OPENED
) -> Answer:
    """Bad data is normalised as far as it goes; only what is no report at all is rejected."""
    report = _report(event)
    if isinstance(report, Reject):
        return report
    if not (quota := resources.quota):
        return _found_out(event, report, settings, resources)
    key = known_errors.key_of(event, report, settings)
    if known := resources.known.get(key, settings):
        issue = issue_of(known.names, resources.existing_issues)
        if quota.is_used_up(issue["issue"], event):
            return _counted(event, report, known, issue)
    return _found_out(event, report, settings, resources, key)


def _report(event: Event) -> dict[str, Any] | Reject:
    if event.kind not in READERS:
        return Reject(
            f"the fingerprint stage knows no event of kind {event.kind!r}: "
            f"{', '.join(READERS)} "
            f"are known"
        )
    try:
        report = event.json
    except ValueError as error:
        return Reject(f"the body of a {event.kind} event is not JSON: {error}")
    if not isinstance(report, dict):
        kind = type(report).__name__
        return Reject(f"the body of a {event.kind} event is a {kind}, not an object")
    return report


def _counted(
    event: Event, report: dict[str, Any], known: KnownError, issue: dict[str, Any]
) -> Answer:
    """An error of which there are samples enough is only counted: nobody will see its body."""
    details, settings = known_errors.again(known, event, report), known.settings
    if reason := unwanted(details, event.facts, settings.filters):
        return Drop(reason)
    facts = facts_of(event, details, settings.cleaner, issue, known.about)
    return Emit(event.with_(kind="named", facts=facts, body=b""))


def _found_out(
    event: Event,
    report: dict[str, Any],
    settings: ProjectSettings,
    resources: Resources,
    key: bytes = b"",
) -> Answer:
    """What is known of an error for the next one, under `key` if it has one."""
    details = READERS[event.kind](report)
    details.cut += event.facts.get("cut", ())  # by ingest, because the event was too large
    if reason := unwanted(details, event.facts, settings.filters):
        return Drop(reason)
    thrown = known_errors.thrown_of(details)
    resolve(details, event.project, resources.maps)
    project_code.decide(details, settings.code)
    result, fingerprints = versions.group(details, settings.rules)
    names = [f"{event.project}:{one}" for one in fingerprints.values()]
    body = grouped_event.body_of(event, details, result, fingerprints)
    scrub(body, settings.cleaner)
    about = grouped_event.about(body, settings.cleaner.clean(result.title, Counter()))
    if key and known_errors.is_told_by_what_was_thrown(result):
        resources.known.put(key, KnownError(settings, thrown, names, about))
    issue = issue_of(names, resources.existing_issues)
    facts = facts_of(event, details, settings.cleaner, issue, about)
    is_whole = resources.quota is None or resources.quota.take(issue["issue"], event)
    packed = grouped_event.packed(body) if is_whole else b""
    return Emit(event.with_(kind="named", facts=facts, body=packed))
