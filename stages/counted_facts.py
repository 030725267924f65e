"""What is counted of an event: its issue, who was affected, and its tags."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from stages.grouping import fields
from stages.grouping.files import template
from stages.grouping.grouped_event import agent_of
from stages.scrubbing.events import scrubbed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.event import Event, Json
    from stages.existing_issues import ExistingIssues
    from stages.grouping.parsed_event import ParsedEvent
    from stages.scrubbing.cleaner import Cleaner

OWN_TAGS = 10
"""Tags of the page's own that are counted for an event, by 50 characters of name and 100 of
value; samples have all.
"""


def facts_of(
    event: Event, details: ParsedEvent, cleaner: Cleaner, issue: Json, about: Json
) -> Json:
    """What the stages behind need, and the commit counts: see `catchwater.answers.Tally`."""
    return {
        **issue,
        "n": details.n,
        "user": user_of(event, details.user),
        "tags": _tags(event, details, cleaner),
        "about": {**about},  # a stage behind this one may change its facts
    }


def issue_of(names: Sequence[str], existing: ExistingIssues | None) -> dict[str, Any]:
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


def _tags(event: Event, details: ParsedEvent, cleaner: Cleaner) -> dict[str, str]:
    """What is counted by value. Names of the page's own do not hide those that Catchwater gives."""
    agent = agent_of(event, details)
    page, environment = scrubbed([details.page, details.environment], cleaner)
    tags = {
        "browser": agent.browser,
        "os": agent.os,
        "device": agent.device,
        "release": details.release,
        "dist": details.dist,
        "environment": environment,
        "page": page_of(page),
    }
    own = scrubbed(details.tags, cleaner) if details.tags else {}
    for name, value in list(own.items())[:OWN_TAGS]:
        tags.setdefault(name[:50].replace("\t", " "), value[:100])
    return {name: value for name, value in tags.items() if value}


def page_of(address: str) -> str:
    """A page without host, query and ids: `/orders/*`. So few values stand for many addresses."""
    return template(address)[: fields.WORD] if address else ""
