"""Rules of a project's own: they come before the client's fingerprint and the built-in grouping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catchwater.config.globs import any_matches
from catchwater.config.grouping_rules import filled
from stages.grouping import messages
from stages.grouping.files import steady, template
from stages.grouping.functions import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from catchwater.config.grouping_rules import Match, Rule
    from stages.grouping.frames import Frame
    from stages.grouping.parsed_event import ParsedEvent

DEFAULTS = frozenset({"{{ default }}", "{{default}}"})


def first(
    rules: Sequence[Rule], details: ParsedEvent, top: Frame | None
) -> tuple[int, Rule] | None:
    """The first rule that matches, with its number, counted from 1."""
    if not rules:
        return None
    texts = _texts(details, top)
    return next(
        ((number, rule) for number, rule in enumerate(rules, 1) if _applies(rule.match, texts)),
        None,
    )


def _applies(match: Match, texts: dict[str, tuple[str, ...]]) -> bool:
    return all(any_matches(getattr(match, name), *texts[name]) for name in match.model_fields_set)


def _texts(details: ParsedEvent, top: Frame | None) -> dict[str, tuple[str, ...]]:
    """What each part of a rule is compared with."""
    type_, message = details.thrown.type, details.thrown.message
    return {
        "type": (type_, messages.normalize(type_, message).type),
        "message": (message,),
        "file": (top.file, steady(top.file)) if top else (),
        "function": (top.function, plain(top.function)) if top else (),
        "page": (details.page,),
        "release": (details.release,),
        "environment": (details.environment,),
        "level": (details.level,),
    }


def values(details: ParsedEvent, top: Frame | None) -> dict[str, str]:
    """What placeholders stand for: the steady form of each, which no build and no visit changes."""
    thrown = details.thrown
    message = messages.normalize(thrown.type, thrown.template or thrown.message)
    return {
        "type": message.type,
        "message": message.text,
        "file": steady(top.file) if top else "",
        "function": plain(top.function) if top else "",
        "page": template(details.page) if details.page else "",
        "release": details.release,
        "environment": details.environment,
        "level": details.level,
    }


def parts(name: Iterable[str], default: list[str], known: dict[str, str]) -> list[str]:
    """What the name is made of:

    `{{ default }}` alone is all that it would have been, the rest has its values.
    """
    joined = {**known, "default": " ".join(default)}
    return [
        one
        for part in name
        for one in (default if part in DEFAULTS else [f"={filled(part, joined)}"])
    ]


def said(number: int, rule: Rule) -> str:
    """The rule, for people."""
    asked = {name: getattr(rule.match, name) for name in sorted(rule.match.model_fields_set)}
    wanted = ", ".join(f"{name} is {' or '.join(globs)}" for name, globs in asked.items())
    return f"rule {number} of the project ({wanted}): {', '.join(rule.name)}"
