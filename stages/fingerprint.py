"""Names an event: parses its stack, normalises it, and says which issue it belongs to."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from catchwater.answers import Answer, Drop, Emit, Reject
from catchwater.event import Event
from stages import projects as per_project
from stages.naming import agents, body, bounds, browser, sentry, snippet, versions
from stages.naming.files import template
from stages.naming.told import Details
from stages.noise.unwanted import unwanted
from stages.private.events import scrub
from stages.sourcemaps.opening import opened
from stages.sourcemaps.resolve import resolve

if TYPE_CHECKING:
    from pathlib import Path

    from stages.known import KnownIssues
    from stages.projects import Wishes
    from stages.sourcemaps.kept import KeptMaps

READERS: dict[str, Callable[[dict[str, Any]], Details]] = {
    "snippet": snippet.read,
    "sentry": sentry.read,
    "report": browser.read,
    "csp": browser.read,
}


def fingerprint(event: Event) -> Answer:
    """The named event, or none where the project's filters call it noise."""
    return answer(event, per_project.of(event.project))


def answer(event: Event, wishes: Wishes) -> Answer:
    """Bad data is normalised as far as it goes; only what is no report at all is rejected."""
    read = READERS.get(event.kind)
    if read is None:
        return Reject(f"the fingerprint stage knows no event of kind {event.kind!r}: {', '.join(READERS)} are known")
    try:
        told = event.json
    except ValueError as error:
        return Reject(f"the body of a {event.kind} event is not JSON: {error}")
    if not isinstance(told, dict):
        return Reject(f"the body of a {event.kind} event is a {type(told).__name__}, not an object")
    details = read(told)
    if reason := unwanted(details, event.facts, wishes.filters):
        return Drop(reason)
    resolve(details, event.project, MAPS.get("kept"))
    return Emit(_named(event, details, wishes))


KNOWN: dict[str, KnownIssues] = {}
"""The `issues` that there are, once `configure` opened them during a change-over of versions."""

MAPS: dict[str, KeptMaps] = {}
"""The source maps as `kept`, once `configure` opened them."""


def configure(mongo_url: str, maps_memory: int, projects: Path) -> None:
    """Where source maps are kept, how many MB of them may be in memory, and what projects want. Without it there
    are no maps, and every project has the defaults.
    """
    per_project.watch(projects)
    if len(versions.VERSIONS) > 1 and "issues" not in KNOWN:
        KNOWN["issues"] = _known_issues(mongo_url)
    if "kept" not in MAPS and (found := opened(mongo_url, maps_memory)):
        MAPS["kept"] = found
        found.look()
        found.watch()


def _known_issues(mongo_url: str) -> KnownIssues:
    from stages.known import KnownIssues  # noqa: PLC0415 - only a change-over of versions needs MongoDB here

    return KnownIssues(mongo_url)


def warm_up() -> None:
    """Load the rules for user agents (0.3 s) before the first event comes, not while it waits."""
    agents.client("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36")


def _named(event: Event, details: Details, wishes: Wishes) -> Event:
    name, fingerprints = versions.named(details, wishes.rules)
    whole = body.named(event, details, name, fingerprints)
    scrub(whole, wishes.cleaner)
    facts = {
        **_issue([f"{event.project}:{one}" for one in fingerprints.values()]),
        "n": details.n,
        "user": user_of(event, details.user),
        "tags": _tags(whole),
        "about": {
            "type": whole["type"],
            "message": (wishes.cleaner.clean(name.title, Counter()) or whole["message"])[:500],
            "culprit": whole["culprit"],
            "level": details.level,
        },
    }
    return event.with_(kind="named", facts=facts, body=body.packed(whole))


def _issue(names: list[str]) -> dict[str, Any]:
    """The issue's id, and during a change-over of versions what else it is called."""
    if len(names) == 1:
        return {"issue": names[0]}
    issue = KNOWN["issues"].id_of(names)
    return {"issue": issue, "names": [name for name in names if name != issue]}


def user_of(event: Event, user: dict[str, str]) -> str:
    """Who was affected, as one stable text: what the page said, first of all an id. A visitor of whom the page says
    nothing is a hash of address and user agent: good enough to count heads, and the address itself is not kept.
    """
    for name in ("id", "email", "username", "ip_address"):
        told = user.get(name, "")
        if told and told != "{{auto}}":
            return f"{name}:{told}"
    ip = event.facts.get("ip")
    if not ip:
        return ""
    seen = f"{event.project}\0{ip}\0{event.facts.get('user_agent', '')}"
    return f"visitor:{hashlib.blake2b(seen.encode('utf-8', 'replace'), digest_size=12).hexdigest()}"


OWN_TAGS = 10
"""Tags of the page's own that are counted for an event, by 50 characters of name and 100 of value; samples keep all."""


def _tags(whole: dict[str, Any]) -> dict[str, str]:
    """What is counted by value. Names of the page's own do not hide those that Catchwater gives."""
    tags = {name: whole[name] for name in ("browser", "os", "device", "release", "environment")}
    tags["page"] = page_of(whole["page"])
    for name, value in list(whole["tags"].items())[:OWN_TAGS]:
        tags.setdefault(name[:50].replace("\t", " "), value[:100])
    return {name: value for name, value in tags.items() if value}


def page_of(address: str) -> str:
    """A page without host, query and ids: `/orders/*`. So few values stand for many addresses."""
    return template(address)[: bounds.WORD] if address else ""
