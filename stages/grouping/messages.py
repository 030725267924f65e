"""A message without what differs from visit to visit, and in one wording for all engines."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from stages.grouping.engine_messages import Where
from stages.grouping.matching import Match, Matcher
from stages.grouping.parameters import parametrised

MAX = 1024  # characters that take part in grouping

_PREFIX = re.compile(
    r"(?:uncaught exception: |Uncaught (?:\(in promise\) ?)?|Unhandled (?:promise )?rejection:? |"
    r"Non-Error promise rejection captured with value: |Non-Error exception captured with value: )",
    re.IGNORECASE,
)
# Versions of Sentry's SDK before 7.50 said it so.
_KEYS = re.compile(r"Non-Error (exception|promise rejection) captured with keys: ")
_TYPE = re.compile(r"((?:[A-Za-z_$][\w$.]{0,80})?(?:Error|Exception|Violation|Warning))(?::[ ]|\Z)")
# Blink puts `Failed to execute appendChild on Node: ` (with quotes) before a message, Gecko
# `Node.appendChild: `.
_DOM = re.compile(
    r"(?:Failed to [a-z]{1,20} '[^'\n]{1,80}'(?: (?:on|from) "
    r"'[^'\n]{1,80}')?|[A-Z]\w{0,60}\.\w{1,60}): "
)


class NormalizedMessage(NamedTuple):
    """An error's type and message.

    `known` when it is in the table of engine_messages, which also says `where` the fault is.
    """

    type: str
    text: str
    known: bool = False
    where: Where = "frame"


def normalize(type_: str, message: str) -> NormalizedMessage:
    """Type and message in their normalized form.

    Storms repeat themselves, so the last results are cached.
    """
    return _normalized(type_, message[:MAX])


@cache
def _matcher() -> Matcher:
    return Matcher(version=1)


@lru_cache(maxsize=2048)
def _normalized(type_: str, message: str) -> NormalizedMessage:
    found_type, text = split(message)
    type_ = found_type if found_type and type_ in ("", "Error") else type_
    match = _matcher().find(text) or _without_dom(text)
    if match is None:
        return NormalizedMessage(type_, parametrised(text))
    return NormalizedMessage(
        match.row.type or type_, match.canonical, known=True, where=match.row.where
    )


def _without_dom(text: str) -> Match | None:
    """What follows the call that a browser's DOM puts before a message."""
    found = _DOM.match(text)
    return _matcher().find(text[found.end() :]) if found else None


def split(message: str) -> tuple[str, str]:
    """The type and the rest of `Uncaught TypeError: x is null`; '' if there is no type in it."""
    text = message.strip()
    prefix = _PREFIX.match(text)
    if prefix:
        text = text[prefix.end() :]
    keys = _KEYS.match(text)
    if keys:
        text = f"Object captured as {keys[1]} with keys: {text[keys.end() :]}"
    found = _TYPE.match(text)
    if found is None:
        return "", text
    return found[1], text[found.end() :].strip()
