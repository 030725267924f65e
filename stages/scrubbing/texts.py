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

_LOGIN = re.compile(r"(?<=://)(?!\[secret\]@)[^/\s@]{1,256}@(?=[\w\[])")
_DOMAIN = re.compile(
    r"(?:@|%40)([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,24})(?![\w-])"
)
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
_PARAMETER = re.compile(r"([A-Za-z][\w.\[\]%-]{0,39})=(?!\[)([^&\s;\"'<>#,)\]}]{1,4000})")
_QUOTED = re.compile(r"([\"'])([A-Za-z][\w-]{1,39})\1(\s{0,3}:\s{0,3}[\"'])([^\"'\n]{1,4000})")
_EMPTY = frozenset(
    {
        "undefined",
        "null",
        "true",
        "false",
        "none",
        "nan",
        "0",
        "1",
        "[secret]",
        "[token]",
        "[email]",
    }
)
_KEYS = re.compile(
    r"(?<![A-Za-z0-9])(?:eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?|(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|github_pat_\w{40,}|glpat-[\w-]{20,}|[sr]k_(?:live|test)_\w{10,}|AIza[\w-]{35}|ya29\.[\w-]{20,}|xox[abeprs]-[\w-]{10,}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|npm_[A-Za-z0-9]{36})"
)
_KEY_STARTS = (
    "eyJ",
    "AKIA",
    "ASIA",
    "gh",
    "github_pat_",
    "glpat-",
    "k_live_",
    "k_test_",
    "AIza",
    "ya29.",
    "xox",
    "SG.",
    "npm_",
    "sk-",
)
_SCHEME = re.compile(r"\b([Bb]earer|BEARER|[Bb]asic|BASIC|[Tt]oken)\s{1,3}([\w.~+/=-]{12,4000})")
_PEM = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_CARD = re.compile(r"(?<![\w.,/=:#-])\d(?:[ -]?\d){12,18}(?![\w]|[.,-]\d)")
_CARD_STARTS = re.compile(r"4|5[1-5]|2[2-7]|3[47]|3(?:0[0-5]|[689])|6(?:011|4[4-9]|5|2)|35")
_FOUR = re.compile(r"(?<![\w./@-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_SIX = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){3,7}(?![\w:])")
_VERSION = re.compile(
    r"(?:v|ver|version|build|release|rev|sdk|firmware)[\s:=]{1,3}\Z", re.IGNORECASE
)


Step = Callable[[str, "Counter[str]"], str]
"""Takes one kind of private data out of a text, and counts it."""

Judge = Callable[[str], bool]
"""Whether a field of that name holds a secret."""


def steps(is_secret: Judge, keep: Collection[str]) -> list[Step]:
    """The steps that scrub a text, in order, without the exempted kinds."""
    every: list[tuple[str, Step]] = [
        ("secret", _logins),
        ("email", _emails),
        ("token", _tokens),
        ("secret", partial(_secrets, is_secret)),
        ("card", _cards),
        ("ip", _addresses),
    ]
    return [step for kind, step in every if kind not in keep]


def _logins(text: str, found: Counter[str]) -> str:
    return _marked(_LOGIN, "[secret]@", "secret", text, found) if "@" in text else text


def _tokens(text: str, found: Counter[str]) -> str:
    if any(start in text for start in _KEY_STARTS):
        text = _marked(_KEYS, "[token]", "token", text, found)
    if " " in text and (
        "asic" in text or "earer" in text or "oken" in text or "BEARER" in text or "BASIC" in text
    ):
        text = _SCHEME.sub(partial(_authorized, found), text)
    return text


def _secrets(is_secret: Judge, text: str, found: Counter[str]) -> str:
    if "-----BEGIN" in text:
        text = _marked(_PEM, "[secret]", "secret", text, found)
    if "=" in text:
        text = _PARAMETER.sub(partial(_parameter, is_secret, found), text)
    if ":" in text and ('"' in text or "'" in text):
        text = _QUOTED.sub(partial(_quoted, is_secret, found), text)
    return text


def _cards(text: str, found: Counter[str]) -> str:
    return _CARD.sub(partial(_card, found), text) if _has_digits(text) else text


def _addresses(text: str, found: Counter[str]) -> str:
    if text.count(".") >= 3 and _has_digits(text):
        text = _FOUR.sub(partial(_address, found), text)
    return _SIX.sub(partial(_long_address, found), text) if text.count(":") >= 3 else text


def _has_digits(text: str) -> bool:
    return not text.isascii() or any(map(text.__contains__, "0123456789"))


def _marked(pattern: re.Pattern[str], mark: str, kind: str, text: str, found: Counter[str]) -> str:
    text, n = pattern.subn(mark, text)
    if n:
        found[kind] += n
    return text


def _emails(text: str, found: Counter[str]) -> str:
    """An address is found by its domain, and what stands before it is its name: no search from
    each letter on.
    """
    if "@" not in text and "%40" not in text:
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
    start = at
    while start > max(least, at - 64) and (text[start - 1].isalnum() or text[start - 1] in "._+-"):
        start -= 1
    while start < at and text[start] in "._-":
        start += 1
    return start


def _parameter(is_secret: Judge, found: Counter[str], match: re.Match[str]) -> str:
    name, value = match[1], match[2]
    long = len(value) >= 16 and name.lower() in {
        "code",
        "key",
        "hash",
        "ticket",
        "assertion",
        "samlresponse",
    }
    if value.lower() in _EMPTY or not (long or is_secret(name)):
        return match[0]
    found["secret"] += 1
    return f"{name}=[secret]"


def _quoted(is_secret: Judge, found: Counter[str], match: re.Match[str]) -> str:
    if not is_secret(match[2]) or match[4].lower() in _EMPTY:
        return match[0]
    found["secret"] += 1
    return f"{match[1]}{match[2]}{match[1]}{match[3]}[secret]"


def _authorized(found: Counter[str], match: re.Match[str]) -> str:
    """`Bearer abc123…`; but "token authentication" and "basic requirements" are words."""
    if not (any(map(str.isdigit, match[2])) or match[2].endswith("=")):
        return match[0]
    found["token"] += 1
    return f"{match[1]} [token]"


def _card(found: Counter[str], match: re.Match[str]) -> str:
    digits = match[0].replace(" ", "").replace("-", "")
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
    return not (" " in text and "-" in text) and all(
        len(part) >= 2 for part in re.split("[ -]", text)
    )


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
