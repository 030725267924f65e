"""Names with secret values in a text: `password=x`, `"token": "x"`, `X-Api-Key: x`, in addresses
inside of addresses too.

Never raises; linear in the text's length.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from urllib.parse import unquote

Judge = Callable[[str], bool]
"""Whether a field of that name holds a secret."""

LONGEST = 4000
"""Characters of a value that are looked at."""

_NAME = re.compile(
    r"(?<![\w.%-])([A-Za-z_][\w.\[\]%-]{0,60}+)(\\{0,3}[\"'`]?)(\s{0,3}(?:=>|[:=])\s{0,3})(?![=:>])"
)
_BARE = re.compile(r"[^&\s;\"'<>#,)\]}]{1,4000}")
_LINE = re.compile(r"[^\r\n]{1,4000}")
_LINE_IN_QUOTES = re.compile(r"[^\r\n\"']{1,4000}")
_ONE_WORD = re.compile(r"[\w-]{1,20}+ \S{8,4000}+\Z")
_MARK = re.compile(r"[\d=]")
"""A credential or a cookie has one in it, or is one word after the name of a scheme."""
_ENCODED = re.compile(
    r"((?:%(?:25){0,3}(?:3[Ff]|26|23)|[?&#])([A-Za-z_][\w.-]{0,60})%(?:25){0,3}3[Dd])"
    r"((?:[^\s&\"'<>%]|%(?!(?:25){0,3}26)){1,4000})"
)
_CREDENTIALS = frozenset(
    {"code", "key", "hash", "ticket", "assertion", "samlresponse", "samlrequest"}
)
"""Parameters of addresses that hold a secret if they are long."""

_LONG = 16
_WHOLE_LINES = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_NO_SECRETS = frozenset(
    {
        *("undefined", "null", "true", "false", "none", "nan", "0", "1"),
        *("yes", "no", "on", "off", "ok", "enabled", "disabled", "required", "optional"),
        *("missing", "invalid", "expired", "empty", "error", "unknown", "unset"),
        *("string", "number", "boolean", "object", "function"),
    }
)
_DOUBTS = ("unexpected", "invalid", "unknown", "illegal", "unrecognized", "bad", "missing")
"""What a parser says before `token: 'x'`."""


class _Marks:
    """Where the next mark stands: looked for once, however many headers without one there are."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next = -1

    def between(self, start: int, end: int) -> bool:
        if self._next < start:
            found = _MARK.search(self._text, start)
            self._next = found.start() if found else len(self._text)
        return self._next < end


def hide(is_secret: Judge, text: str, found: Counter[str]) -> str:
    """`text` with `[secret]` for the values of secret names. `found` counts them."""
    if "%" in text and ("3D" in text or "3d" in text):
        text = _ENCODED.sub(partial(_encoded, is_secret, found), text)
    if "=" not in text and ":" not in text:
        return text
    parts, done, marks = [], 0, _Marks(text)
    for match in _NAME.finditer(text):
        if match.start() < done:
            continue
        start, end = _value(is_secret, text, match, marks)
        if start < end:
            parts += [text[done:start], "[secret]"]
            done = end
            found["secret"] += 1
    return "".join([*parts, text[done:]]) if parts else text


def _encoded(is_secret: Judge, found: Counter[str], match: re.Match[str]) -> str:
    if not is_secret(match[2]) or not _is_value(match[3]):
        return match[0]
    found["secret"] += 1
    return f"{match[1]}[secret]"


def _value(is_secret: Judge, text: str, match: re.Match[str], marks: _Marks) -> tuple[int, int]:
    """Where the secret begins and ends; both the same where there is none."""
    name, quote, separator, at = match[1], match[2], match[3], match.end()
    plain = unquote(name) if "%" in name else name
    if not is_secret(plain):
        return _credential(text, name, separator, at)
    if plain.lower() in _WHOLE_LINES and ":" in separator and not quote:
        return _line(text, match.start(), at, marks)
    opened = _opening(text, at)
    if opened:
        return (at, at) if _doubted(text, match, quote) else _quoted(text, at, opened)
    if quote and text[at : at + 1] in {"[", "{"}:
        return _listed(text, at)
    return _bare(text, at, certain=bool(quote) or separator == "=")


def _opening(text: str, at: int) -> str:
    """The quote that a value begins with: itself, or behind backslashes; '' without one."""
    end = at
    while text[end : end + 1] == "\\" and end < at + 3:
        end += 1
    return text[at : end + 1] if text[end : end + 1] in {'"', "'", "`"} else ""


def _quoted(text: str, at: int, opening: str) -> tuple[int, int]:
    """Up to the same quote; one behind a backslash belongs to the value."""
    start = at + len(opening)
    end = start
    most = min(len(text), start + LONGEST)
    while end < most and not text.startswith(opening, end):
        end += 2 if text[end] == "\\" and len(opening) == 1 else 1
    end = min(end, len(text))
    return (start, end) if _is_value(text[start:end]) else (start, start)


def _listed(text: str, at: int) -> tuple[int, int]:
    """A list or an object of JSON, up to where the first of its kind ends."""
    if text.startswith(("[secret]", "[token]", "[email]", "[card]", "[private]"), at):
        return at, at
    end = text.find({"[": "]", "{": "}"}[text[at]], at, at + LONGEST)
    return at, (end + 1 if end > 0 else min(len(text), at + LONGEST))


def _line(text: str, name_at: int, at: int, marks: _Marks) -> tuple[int, int]:
    """The whole rest of a header's line, if it is one and not a sentence.

    Where a quote stands before the name, up to the next one.
    """
    before = text[name_at - 1 : name_at]
    match = (_LINE_IN_QUOTES if before in {'"', "'"} else _LINE).match(text, at)
    if not match or not (marks.between(at, match.end()) or _ONE_WORD.match(match[0])):
        return at, at
    return (at, at) if "[token]" in match[0] else (at, match.end())


def _bare(text: str, at: int, *, certain: bool) -> tuple[int, int]:
    """A value without quotes. After `: ` or ` = ` it may be a word of a sentence, or code."""
    if text.startswith("[", at):  # no value: nothing is looked through for it
        return at, at
    match = _BARE.match(text, at)
    if not match or not _is_value(match[0]):
        return at, at
    value = match[0]
    likely = len(value) >= 4 and _has_digit(value) and "(" not in value
    return (at, match.end()) if certain or likely else (at, at)


def _credential(text: str, name: str, separator: str, at: int) -> tuple[int, int]:
    if separator != "=" or name.lower() not in _CREDENTIALS:
        return at, at
    match = _BARE.match(text, at)
    long = match is not None and len(match[0]) >= _LONG and _is_value(match[0])
    return (at, match.end()) if match and long else (at, at)


def _is_value(value: str) -> bool:
    return value.lower() not in _NO_SECRETS and not value.startswith("[")


def _doubted(text: str, match: re.Match[str], quote: str) -> bool:
    """`Unexpected token: 'x'` is about code."""
    before = text[max(0, match.start() - 14) : match.start()].rstrip().lower()
    return not quote and before.endswith(_DOUBTS)


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))
