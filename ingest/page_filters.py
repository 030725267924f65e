"""A project's filters as the snippet applies them itself: what they drop costs no request. Pure.

They hold back a part of what the fingerprint stage would drop, and nothing else: what they cannot
say of a report before it is read is left to the stage.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.config.filters import Filters

REASONS = ("filter:pages", "filter:messages", "filter:allowed_scripts")
"""Under which they are counted; the stage's own names."""

MOST_GLOBS = 50
"""Of one filter. More are left to the stage."""
MOST_STARS = 2
"""In one glob: with more of them a regular expression, unlike a glob, can be slow."""

MOST_STARRED = 5
"""Of `allowed_scripts` with a `*` in their midst: each is tried at each address in a stack."""

# A report is looked at as the JSON of `{type, message, stack, source, line, column}` with the
# page's address behind it. No value goes beyond a quote, and one with quotes in it is sent.
_ANY = r'[^"]*'
# In an address: browsers write no spaces there, in JSON a line ends with a backslash and `n`, and
# the stage looks at as many characters of one.
_IN_ADDRESS = r'[^"\\\s]{0,2048}'
_END = r'["\d]\}'  # of the JSON
_TYPE = rf'(?:"type":"{_ANY}",)?'
# That message holds another error, which the stage takes out (see stages/grouping/messages.py).
_WRAPPED = rf'(?!\{{{_TYPE}"message":"(?:Error: )?Uncaught \(in promise\): )'
# A frame, or the place of an event; a resource that does not load was thrown by no script.
_PLACED = rf'(?:"stack":"{_ANY}\w:\/\/{_ANY}:\d+:\d|"source":"\w+:\/\/)'
_RESOURCE = r'(?!\{"type":"ResourceError")'


def patterns(filters: Filters) -> dict[str, str]:
    """By the reason that is counted, such as `filter:messages`: a regular expression for what is
    dropped, in any case of letters. One language for both: JavaScript's and Python's.
    """
    if not filters.in_page:
        return {}
    made = (
        _pages(_usable(filters.pages)),
        _messages(_usable(filters.messages)),
        _allowed_scripts(filters.allowed_scripts),
    )
    return {reason: one for reason, one in zip(REASONS, made, strict=True) if one}


def literal(filters: Filters) -> str:
    """The patterns as JavaScript writes them: `{"filter:pages":/.../i}`."""
    parts = (f'"{reason}":/{pattern}/i' for reason, pattern in patterns(filters).items())
    return f"{{{','.join(parts)}}}"


def _pages(globs: Sequence[str]) -> str:
    return rf"{_END}(?:{'|'.join(map(_regex, globs))})$" if globs else ""


def _messages(globs: Sequence[str]) -> str:
    forms = [form for glob in globs for form in _message(glob)]
    return rf"^{_WRAPPED}\{{(?:{'|'.join(forms)})[,}}]" if forms else ""


def _message(glob: str) -> list[str]:
    """A glob describes the message, or the type and the message with a colon between them."""
    forms = [rf'{_TYPE}"message":"{_regex(glob)}"']
    type_, colon, message = glob.partition(": ")
    if colon and "*" not in type_:
        forms.append(rf'"type":"{_regex(type_)}","message":"{_regex(message)}"')
    return forms


def _allowed_scripts(globs: Sequence[str]) -> str:
    """What was thrown somewhere, with no allowed script anywhere in the stack."""
    inner = [glob.strip("*") for glob in globs]
    starred = [glob for glob in inner if "*" in glob]
    usable = inner and _usable(inner) == inner and len(starred) <= MOST_STARRED
    if not usable or not all("://" in glob for glob in starred):
        return ""
    allowed = "|".join(_regex(glob, _IN_ADDRESS) for glob in inner)
    return rf"^{_RESOURCE}(?![\s\S]*(?:{allowed})[\s\S]*{_END})[\s\S]*{_PLACED}"


def _usable(globs: Sequence[str]) -> list[str]:
    """ASCII alone: what else has two cases is not the same in both languages."""
    plain = (glob for glob in globs if glob.isascii() and glob.isprintable())
    return [glob for glob in plain if glob.count("*") <= MOST_STARS][:MOST_GLOBS]


def _regex(glob: str, star: str = _ANY) -> str:
    return star.join(map(_escaped, glob.split("*")))


def _escaped(text: str) -> str:
    """`text` in JSON, in a regular expression, and in no way the end of a script."""
    in_json = text.replace("\\", "\\\\").replace('"', '\\"')
    return re.sub(r"[^\w \"%&',:;=@~#!>-]", _character, in_json)


def _character(found: re.Match[str]) -> str:
    return r"\x3c" if found[0] == "<" else rf"\{found[0]}"
