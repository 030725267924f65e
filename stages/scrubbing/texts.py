"""What is private in a text, and what stands for it afterwards.

Never raises; linear in the text's length.

Nothing is looked for that the text cannot hold: most texts cost a few searches for single
characters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from functools import partial
from ipaddress import ip_address

from stages.scrubbing import known_keys, pairs
from stages.scrubbing.marking import marked
from stages.scrubbing.pairs import Judge

_LOGIN = re.compile(r"(?<=://)(?!\[secret\]@)[^/\s@]{1,256}@(?=[\w\[])")
_DOMAIN = re.compile(
    r"(?:[@\uff20]|%(?:25){0,3}40|&#(?:0{0,4}64|[xX]0{0,4}40);|\\u0040)"
    r"((?:[^\W_]|-){1,63}(?:\.(?:[^\W_]|-){1,63}){0,8}\.(?:[^\W\d_]{2,24}|xn--[A-Za-z0-9-]{2,60})"
    r")(?![\w-])"
)
_AT = ("@", "\uff20", "40", "64;")
"""What an address has, however it is written."""

_FILES = frozenset(
    {
        "avif",
        "css",
        "gif",
        "htm",
        "html",
        "ico",
        "jpeg",
        "jpg",
        "js",
        "json",
        "jsx",
        "map",
        "md",
        "mjs",
        "cjs",
        "mp4",
        "pdf",
        "php",
        "png",
        "svg",
        "ts",
        "tsx",
        "txt",
        "vue",
        "wasm",
        "webp",
        "xml",
    }
)
_PEM = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_CARD = re.compile(r"(?<![\w.,-])\d(?:[ \u00a0\u2009\u202f-]{0,2}\d){12,18}(?![\w]|[.,-]\d)")
_BETWEEN = re.compile(r"[ \u00a0\u2009\u202f-]+")
_CARD_STARTS = re.compile(r"4|5[1-5]|2[2-7]|3[47]|3(?:0[0-5]|[689])|6(?:011|4[4-9]|5|2)|35")
_FOUR = re.compile(r"(?<![\w./@-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_SIX = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){3,7}(?![\w:])")
_VERSION = re.compile(
    r"(?:v|ver|version|build|release|rev|sdk|firmware)[\s:=]{1,3}\Z", re.IGNORECASE
)


Step = Callable[[str, "Counter[str]"], str]
"""Takes one kind of private data out of a text, and counts it."""


def steps(is_secret: Judge, keep: Collection[str]) -> list[Step]:
    """The steps that scrub a text, in order, without the exempted kinds."""
    every: list[tuple[str, Step]] = [
        ("secret", _logins),
        ("email", _emails),
        ("token", known_keys.hide),
        ("secret", partial(_secrets, is_secret)),
        ("card", _cards),
        ("ip", _addresses),
    ]
    return [step for kind, step in every if kind not in keep]


def _logins(text: str, found: Counter[str]) -> str:
    return marked(_LOGIN, "[secret]@", "secret", text, found) if "@" in text else text


def _secrets(is_secret: Judge, text: str, found: Counter[str]) -> str:
    if "-----BEGIN" in text:
        text = marked(_PEM, "[secret]", "secret", text, found)
    return pairs.hide(is_secret, text, found)


def _cards(text: str, found: Counter[str]) -> str:
    return _CARD.sub(partial(_card, found), text) if _has_digits(text) else text


def _addresses(text: str, found: Counter[str]) -> str:
    if text.count(".") >= 3 and _has_digits(text):
        text = _FOUR.sub(partial(_address, found), text)
    return _SIX.sub(partial(_long_address, found), text) if text.count(":") >= 3 else text


def _has_digits(text: str) -> bool:
    return not text.isascii() or any(map(text.__contains__, "0123456789"))


def _emails(text: str, found: Counter[str]) -> str:
    """An address is found by its domain, and what stands before it is its name: no search from
    each letter on.
    """
    if not any(map(text.__contains__, _AT)):
        return text
    parts, end = [], 0
    for match in _DOMAIN.finditer(text):
        start = _local(text, match.start(), end)
        domain = match[1].lower()
        numeric = re.match(r"\d+\.\d+", domain)
        if (
            start == match.start()
            or numeric
            or domain.rpartition(".")[2] in _FILES
            or text[start : match.start()] == "git"
        ):
            continue
        parts += [text[end:start], "[email]"]
        end = match.end()
        found["email"] += 1
    return "".join([*parts, text[end:]]) if parts else text


def _local(text: str, at: int, least: int) -> int:
    """Where the name of an address that ends at `at` begins."""
    least = max(least, at - 64)
    if at > least and text[at - 1] == '"':  # "jane doe"@example.com
        opened = text.rfind('"', least, at - 1)
        return opened if opened >= 0 else at
    start = at
    while start > least and (text[start - 1].isalnum() or text[start - 1] in "._+-'\u2019"):
        start -= 1
    while start < at and text[start] in "._-'\u2019":
        start += 1
    return start


def _card(found: Counter[str], match: re.Match[str]) -> str:
    digits = _BETWEEN.sub("", match[0])
    if (
        not _CARD_STARTS.match(digits)
        or len(set(digits)) == 1
        or not _luhn(digits)
        or not _grouped(match[0])
    ):
        return match[0]
    found["card"] += 1
    return "[card]"


def _grouped(text: str) -> bool:
    """Cards are written in one, or in groups of at least two digits with one kind of separator."""
    separators = set(_BETWEEN.findall(text))
    return len(separators) < 2 and all(len(part) >= 2 for part in _BETWEEN.split(text))


def _luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812."""
    doubled = [int(one) * 2 for one in digits[-2::-2]]
    return (
        sum(int(one) for one in digits[-1::-2]) + sum(n - 9 if n > 9 else n for n in doubled)
    ) % 10 == 0


def _address(found: Counter[str], match: re.Match[str]) -> str:
    parts = match[0].split(".")
    is_version = _VERSION.search(match.string, max(0, match.start() - 12), match.start())
    private = parts[0] in {"127", "0"} or parts[3] == "0" or is_version
    if private or any(int(part) > 255 or (part[0] == "0" and len(part) > 1) for part in parts):
        return match[0]
    found["ip"] += 1
    return ".".join([*parts[:3], "0"])


def _long_address(found: Counter[str], match: re.Match[str]) -> str:
    """The first 48 bits of an IPv6 address: the network, not the house."""
    text = match[0]
    try:
        groups = ip_address(text).exploded.split(":")
    except ValueError:
        return text
    if not any(map(str.isdigit, text)) or set(groups[3:]) == {"0000"}:
        return text
    found["ip"] += 1
    return ":".join(group.lstrip("0") or "0" for group in groups[:3]) + "::"
