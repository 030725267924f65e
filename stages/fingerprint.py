"""Groups an event: parses its stack, normalises it, and finds the issue it belongs to."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catchwater.answers import Answer, Drop, Emit, Reject
from catchwater.event import Event
from catchwater.sourcemaps.opening import open_maps
from catchwater.stage import SecondLook, StageEnvironment, stage
from stages import project_settings, second_look
from stages.filters.unwanted import unwanted
from stages.grouping import (
    browser,
    fields,
    grouped_event,
    project_code,
    sentry,
    snippet,
    user_agents,
    versions,
)
from stages.grouping.files import template
from stages.grouping.parsed_event import ParsedEvent
from stages.grouping.source_frames import resolve
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

    `existing_issues` is used only during a change-over of versions of grouping.
    """

    settings_of: Callable[[str], ProjectSettings] = project_settings.default
    maps: Maps | None = None
    existing_issues: ExistingIssues | None = None


NOTHING_OPENED = Resources()
"""No source maps, and every project has the defaults."""


def open_resources(environment: StageEnvironment) -> Resources:
    """What `environment` points to. MongoDB need not be there yet. Raises ConfigError."""
    settings = project_settings.SettingsFile(environment.projects)
    changing_over = len(versions.VERSIONS) > 1
    return Resources(
        settings.of,
        open_maps(environment.mongo_url, environment.maps_memory_mb),
        _existing_issues(environment.mongo_url) if changing_over else None,
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
    read = READERS.get(event.kind)
    if read is None:
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
    details = read(report)
    details.cut += event.facts.get("cut", ())  # by ingest, because the event was too large
    if reason := unwanted(details, event.facts, settings.filters):
        return Drop(reason)
    resolve(details, event.project, resources.maps)
    project_code.decide(details, settings.code)
    return Emit(_grouped(event, details, settings, resources.existing_issues))


def _grouped(
    event: Event,
    details: ParsedEvent,
    settings: ProjectSettings,
    existing: ExistingIssues | None,
) -> Event:
    result, fingerprints = versions.group(details, settings.rules)
    body = grouped_event.body_of(event, details, result, fingerprints)
    scrub(body, settings.cleaner)
    facts = {
        **_issue([f"{event.project}:{one}" for one in fingerprints.values()], existing),
        "n": details.n,
        "user": user_of(event, details.user),
        "tags": _tags(body),
        "about": grouped_event.about(body, settings.cleaner.clean(result.title, Counter())),
    }
    return event.with_(kind="named", facts=facts, body=grouped_event.packed(body))


def _issue(names: list[str], existing: ExistingIssues | None) -> dict[str, Any]:
    """The issue's id, and during a change-over of versions what else it is called."""
    if existing is None:
        return {"issue": names[-1]}
    issue = existing.id_of(names)
    return {"issue": issue, "names": [name for name in names if name != issue]}


def user_of(event: Event, user: dict[str, str]) -> str:
    """Who was affected, as one stable text: what the page said, an id first.

    For a visitor whom the page does not name it is a hash of IP address and user agent: good enough
    to count people, and the address itself is not stored.
    """
    for name in ("id", "email", "username", "ip_address"):
        text = user.get(name, "")
        if text and text != "{{auto}}":
            return f"{name}:{text}"
    ip = event.facts.get("ip")
    if not ip:
        return ""
    seen = f"{event.project}\0{ip}\0{event.facts.get('user_agent', '')}"
    return f"visitor:{hashlib.blake2b(seen.encode('utf-8', 'replace'), digest_size=12).hexdigest()}"


COUNTED = ("browser", "os", "device", "release", "dist", "environment")
"""Fields of a body that are counted by value."""

OWN_TAGS = 10
"""Tags of the page's own that are counted for an event, by 50 characters of name and 100 of
value; samples have all.
"""


def _tags(body: dict[str, Any]) -> dict[str, str]:
    """What is counted by value. Names of the page's own do not hide those that Catchwater gives."""
    tags = {name: body[name] for name in COUNTED}
    tags["page"] = page_of(body["page"])
    for name, value in list(body["tags"].items())[:OWN_TAGS]:
        tags.setdefault(name[:50].replace("\t", " "), value[:100])
    return {name: value for name, value in tags.items() if value}


def page_of(address: str) -> str:
    """A page without host, query and ids: `/orders/*`. So few values stand for many addresses."""
    return template(address)[: fields.WORD] if address else ""
