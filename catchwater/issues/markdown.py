"""An issue as Markdown, to be pasted into a ticket or handed to a coding assistant. Pure.

Texts of strangers stand in code, always: there nothing is a link, an image, a heading or somebody's
name. What says who the user was is left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from catchwater.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]

FRAMES = 30
"""Frames of an error that are shown, innermost first."""

CAUSES = 10

LONGEST = 2_000
"""Characters of a message."""

_FACTS = ("release", "environment", "browser", "os", "device", "page")
_TICKS = re.compile("`+")


def page(issue: Mapping[str, Any], event: Mapping[str, Any], link: str = "") -> str:
    """`issue` as the JSON API shows it, `event` its newest sample ({} for none)."""
    lines = [f"# {code(_said(issue))}", "", *_facts(issue, event, link), ""]
    if event:
        lines += ["## Stack", "", block(_stack(event)), ""]
        lines += _source(event)
    else:
        lines += ["No sample of it is stored.", ""]
    return "\n".join(lines)


def code(text: str) -> str:
    """`text` as one line of code, whatever it holds; '' stays ''."""
    line = visible(" ".join(text.split()))[:LONGEST]
    if not line:
        return ""
    fence = "`" * (_longest_ticks(line) + 1)
    space = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{space}{line}{space}{fence}"


def block(text: str) -> str:
    """`text` as lines of code, whatever they hold."""
    fence = "`" * max(3, _longest_ticks(text) + 1)
    return f"{fence}\n{visible(text)}\n{fence}"


def _longest_ticks(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)


def _said(error: Mapping[str, Any]) -> str:
    return ": ".join(text for name in ("type", "message") if (text := _text(error.get(name))))


def _facts(issue: Mapping[str, Any], event: Mapping[str, Any], link: str) -> Iterator[str]:
    yield f"- Issue: {code(_text(issue.get('id')))}{f' <{link}>' if link else ''}"
    count, users = int(issue.get("count") or 0), int(issue.get("users") or 0)
    yield f"- Seen: {count:,} times, by about {users:,} users"
    for name, words in (("first_seen", "First seen"), ("last_seen", "Last seen")):
        yield f"- {words}: {code(_text(issue.get(name)))}"
    for name in ("level", "state", "culprit"):
        yield from _fact(name, issue)
    for name in _FACTS:
        yield from _fact(name, event)


def _fact(name: str, found: Mapping[str, Any]) -> Iterator[str]:
    if text := _text(found.get(name)):
        yield f"- {name.capitalize()}: {code(text)}"


def _stack(event: Mapping[str, Any]) -> str:
    """The error, then its causes, nearest first."""
    causes = [one for one in _listed(event.get("chain"))[:CAUSES] if isinstance(one, dict)]
    errors = [_thrown(event), *(f"Caused by {_thrown(one)}" for one in causes)]
    return "\n".join(errors)


def _thrown(error: Mapping[str, Any]) -> str:
    frames = [one for one in _listed(error.get("frames")) if isinstance(one, dict)]
    lines = [_said(error)[:LONGEST], *map(_frame, frames[:FRAMES])]
    if len(frames) > FRAMES:
        lines.append(f"    ... {len(frames) - FRAMES} more")
    return "\n".join(lines)


def _frame(frame: Mapping[str, Any]) -> str:
    mark = "" if frame.get("in_app") else "  [library]"
    return f"    at {_text(frame.get('function')) or '(anonymous)'} ({_place(frame)}){mark}"


def _place(frame: Mapping[str, Any]) -> str:
    numbers = [frame.get(name) for name in ("line", "column")]
    known = [str(n) for n in numbers if isinstance(n, int) and n > 0]
    return ":".join([_text(frame.get("file")) or "(unknown file)", *known])


def _source(event: Mapping[str, Any]) -> list[str]:
    """The lines around the first frame of the project's own code whose source is known."""
    frames = [one for one in _listed(event.get("frames")) if isinstance(one, dict)]
    for frame in frames[:FRAMES]:
        context = frame.get("context")
        if frame.get("in_app") and isinstance(context, dict) and "line" in context:
            return [f"## Source: {code(_place(frame))}", "", block(_lines(frame, context)), ""]
    return []


def _lines(frame: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    before, after = _listed(context.get("pre"))[-5:], _listed(context.get("post"))[:5]
    line = frame.get("line")
    first = (line if isinstance(line, int) else 0) - len(before)
    every = [*before, context["line"], *after]
    return "\n".join(
        f"{'>' if number == len(before) else ' '} {first + number:>5}  {_text(line)[:200]}"
        for number, line in enumerate(every)
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
