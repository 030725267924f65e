"""What a notice says, in words and for programs. Pure.

All that comes from strangers stands in code, so that nothing of it is a mention or a link.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catchwater.issues.samples import body_of
from catchwater.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Document = dict[str, Any]

TITLES = {
    "new": "New issue",
    "regression": "Seen again after it was resolved",
    "escalating": "No longer ignored",
    "spike": "Far more often than usual",
    "digest": "Still unresolved",
    "test": "A test of this channel",
}
_LIVE = re.compile(r"[@<\]](?=\S)")

FRAMES = 8
LISTED = 10
"""Issues that a notice of many names; the others are only counted."""


@dataclass(frozen=True, slots=True)
class Message:
    """`title` is one line of plain text, `text` is Markdown, `data` is for programs."""

    id: str
    title: str
    text: str
    data: Document


def of_issue(
    notice: Mapping[str, Any], issue: Document, sample: Document | None, project: str, url: str
) -> Message:
    """The notice of one issue, with the stack of its newest sample, if there is one."""
    event = _event(sample)
    where = f"{url}/issues/{issue['_id']}" if url else ""
    title = f"{TITLES[notice['kind']]} in {_line(project)}: {name_of(issue)}"
    facts = {
        "events": issue.get("count", 0),
        "users": issue.get("users", 0),
        "release": _line(event.get("release")),
        "first seen in": _line(notice.get("release")),
        "page": _line(event.get("page")),
    }
    lines = [f"- {name}: {in_code(str(value))}" for name, value in facts.items() if value]
    stack = "\n".join(_frame(one) for one in _frames(event)[:FRAMES])
    text = "\n".join([*lines, *([f"```\n{stack}\n```"] if stack else []), where]).strip()
    data = {
        "kind": notice["kind"],
        "project": notice["project"],
        "issue": issue["_id"],
        "url": where,
        **{name: issue.get(name, "") for name in ("type", "message", "culprit", "level")},
        **{name: issue.get(name, 0) for name in ("count", "users")},
    }
    return Message(notice["_id"], title, text, data)


def of_many(
    notice: Mapping[str, Any], told: Sequence[tuple[str, Document]], project: str, url: str
) -> Message:
    """One notice in the place of many: of `told`, each a kind and an issue."""
    kinds = {kind for kind, _ in told}
    what = {"new": "new issues", "digest": "unresolved issues"}.get(
        next(iter(kinds)) if len(kinds) == 1 else "", "notices of issues"
    )
    what = what.replace("issues", "issue", len(told) == 1)
    title = f"{len(told)} {what} in {_line(project)} since {notice['at']:%H:%M} UTC"
    lines = [f"- {TITLES[kind]}: {in_code(name_of(one))}" for kind, one in told[:LISTED]]
    more = [f"- and {len(told) - LISTED} more"] if len(told) > LISTED else []
    text = "\n".join([*lines, *more, url])
    issues = [{"kind": kind, "issue": one["_id"]} for kind, one in told]
    data = {"kind": "many", "project": notice["project"], "url": url, "issues": issues}
    return Message(notice["_id"], title, text.strip(), data)


def name_of(issue: Mapping[str, Any]) -> str:
    named = f"{issue.get('type') or 'Error'}: {issue.get('message') or ''}"
    return _line(named).removesuffix(": ")[:150]


def _event(sample: Document | None) -> Document:
    found = body_of(sample) if sample else {}
    return found if isinstance(found, dict) else {}


def _frames(event: Document) -> list[Document]:
    found = event.get("frames")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _frame(one: Document) -> str:
    place = f"{one.get('file') or '?'}:{one.get('line') or '?'}"
    return _line(f"{one.get('function') or '(anonymous)'}  {place}").replace("`", "'")[:200]


def _line(value: Any) -> str:
    return visible(" ".join(str(value or "").split()))[:200]


def in_code(text: str) -> str:
    return "`" + text.replace("`", "'") + "`"


def cut(text: str, longest: int) -> str:
    """Markdown of at most so many characters: whole lines, the last one always, as it has the link.

    A block of code ends where it is cut, else what stands in it were Markdown.
    """
    if len(text) <= longest:
        return text
    *lines, last = text.split("\n")
    kept, room = [], longest - len(f"\n```\n{last}")
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    ends = ["```"] * (kept.count("```") % 2)
    return "\n".join([*kept, *ends, *([] if last == "```" else [last])])


def inert(text: str) -> str:
    """`text` for a service that may take it as any markup: what is joined to these characters by
    one that nobody sees is no mention, no tag and no link.
    """
    return _LIVE.sub("\\g<0>\u2060", text)
