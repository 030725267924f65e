"""What in a message differs from visit to visit: numbers, ids, addresses, dates, values.

Every repetition is of a single class of characters and bounded, so the time is linear in the
message.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import TYPE_CHECKING

from stages.grouping import random_names

if TYPE_CHECKING:
    from collections.abc import Callable

_UUID = "-".join(f"[0-9a-fA-F]{{{length}}}" for length in (8, 4, 4, 4, 12))
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
_ZONE = r"(?: ?(?:Z|GMT|UTC)?(?:[+-][0-9]{2}:?[0-9]{2})?)"
_ZONE_NAME = r"(?: \([^)\n]{1,40}\))?"
_WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY_NAME = r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Mon|Tue|Wed|Thu|Fri|Sat|Sun),?"
_MONTH_NAME = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    rf"|{_MONTH})"
)
_EXPONENT = r"(?:[eE][+-]?[0-9]{1,3})?"
_UNIT = (
    r"(?: ?(?:ms|s|sec|seconds?|min|minutes?|h|px|em|[kKMGT]i?[bB]|bytes?|B|%)(?![A-Za-z0-9])"
    r"|[a-z]{1,3}(?:/[a-z]{1,2})?(?![A-Za-z0-9]))?"
)

# In the order in which they are tried at each place of the message. `keep` is what looks like a
# value but names a thing: HTTP 404 is not HTTP 500, React's error #31 is not #200, utf-8 is not
# utf-16.
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "keep",
        (
            r"[Hh][Tt][Tt][Pp](?:/[0-9.]{1,3})?[ :=(]{1,2}[1-5][0-9]{2}\b",
            r"[Ss]tatus(?: [Cc]ode)?(?: of)?[ :=(]{1,2}[1-5][0-9]{2}\b",
            r"responded with(?: an?)?(?: status)?(?: of)?[ :=(]{1,2}[1-5][0-9]{2}\b",
            (
                r"[1-5][0-9]{2}(?= \(?(?:Not Found|Internal|Bad "
                r"|Unauth|Forbidden|Service|Gateway|Too "
                r"Many|Conflict|Gone))"
            ),
            r"[Uu][Tt][Ff]-?(?:8|16|32)\b",
            r"[Ii][Ss][Oo]-8859-[0-9]{1,2}\b",
            r"[Ss][Hh][Aa]-?[0-9]{1,3}\b",
            r"[Ee]rror(?: [Cc]ode)?[ :]{1,2}#[0-9]{1,6}\b",
            r"[Ee]rror [Cc]ode[ :]{1,2}[A-Z]{0,4}[0-9]{1,6}\b",
            r"(?:TS|NG|AADSTS)0?[0-9]{3,6}\b",
            r"\([45][0-9]{2}\)",
            r"[Ee]rror: ?[0-9]{1,5}\Z",
        ),
    ),
    ("email", (r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}",)),
    ("url", (r"(?:https?|wss?|file|blob|ftp|data|[a-z]{2,10}-extension):[^\s\"'<>\\]{3,}",)),
    ("uuid", (rf"{_UUID}(?![0-9A-Za-z])",)),
    ("mac", (r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}(?![0-9A-Fa-f:])",)),
    ("path", (r"[A-Za-z]:\\[^\s\"'<>|]{1,200}",)),
    (
        "file",
        (
            (
                r"[\w-]{1,80}\.(?:jpe?g|png|gif|heic|webp|bmp|pdf|docx?|xlsx?|pptx?|csv|txt|zip"
                r"|mp[34]|mov|JPE?G|PNG|GIF|HEIC|PDF)\b(?![.\w/])"
            ),
        ),
    ),
    (
        "host",
        (
            (
                r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}\.(?:com|net|org|io|dev|app|cloud|info"
                r"|biz|eu|example|internal|local|lan|test|de|fr|uk|us|ch|at|nl|it|es|pl|ru|jp|cn|br"
                r"|au|ca)(?::[0-9]{1,5})?(?![\w.])"
            ),
        ),
    ),
    (
        "date",
        (
            r"[0-9]{8}T[0-9]{4,6}Z?(?!\w)",
            (
                rf"(?:{_DAY_NAME} )?{_MONTH_NAME} [0-9]{{1,2}}(?:st|nd|rd|th)?(?:,? [0-9]{{4}})?"
                rf"(?![\w:.])"
            ),
            rf"[0-9]{{1,2}}\.? {_MONTH_NAME}(?: [0-9]{{4}})?(?!\w)",
            rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:[T ]{_CLOCK}{_ZONE})?",
            r"[0-9]{1,2}[/.][0-9]{1,2}[/.][0-9]{2,4}\b(?!\.)",
            rf"{_CLOCK}(?: ?[AaPp]M)?(?![\w:])",
            (
                rf"{_WEEKDAY} (?:[0-9]{{1,2}} )?{_MONTH} [0-9]{{1,4}}(?: [0-9]{{4}})?(?: "
                rf"{_CLOCK}{_ZONE})?{_ZONE_NAME}"
            ),
        ),
    ),
    ("ip", (r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]{1,5})?(?!\w)",)),
    (
        "ip6",
        (r"[0-9A-Fa-f:](?<![_:.].)[0-9A-Fa-f]{0,3}:[0-9A-Fa-f:]{1,36}(?:%\w{1,10})?(?![\w:(])",),
    ),
    (
        "value",
        (
            r"'(?<==')[^'\n]{0,500}'",
            r'"(?<==")[^"\n]{0,500}"',
            r'"(?<=": ")[^"\n]{0,500}"',
            r'"(?<=":")[^"\n]{0,500}"',
            r"[TtFfnN](?<==.)(?:rue|alse|ull|one)\b",
            r"[tfn](?<=[:,\[].)(?:rue|alse|ull)(?=[,}\]])",
            r"[A-Z](?<=[a-z]=.)[a-z]{1,30}(?![\w(.])",
        ),
    ),
    (
        "id",
        (
            r":r[0-9a-z]{1,4}:",
            r"__react[A-Za-z]{1,30}\$[0-9a-z]{6,20}(?!\w)",
            r"jQuery[0-9]{10,40}(?!\w)",
            r"[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}(?!\w)",
            r"[A-Za-z0-9+/]{16,400}={1,2}(?![\w=])",
            r"P(?=[0-9T])(?:[0-9]{1,5}[YMWD]){0,4}(?:T(?:[0-9]{1,5}[HMS]){1,3})?(?![A-Za-z0-9])",
            r"[a-z]{2}-[A-Z]{2}(?![A-Za-z0-9-])",
        ),
    ),
    ("version", (r"v[0-9]{1,5}(?:\.[0-9]{1,6}){1,4}(?:[-+][\w.]{1,30})?(?![\w.])",)),
    ("token", (r"eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]{4,})?", r"[Bb]earer [\w.~+/=-]{8,}")),
    (
        "hex",
        (
            r"0x[0-9a-fA-F]{1,64}\b",
            r"[0-9a-f]{7,64}(?![0-9A-Za-z_])",
            r"[0-9A-F]{7,64}(?![0-9A-Za-z_])",
        ),
    ),
    (
        "number",
        (
            r"[0-9]{1,5}(?:[hdms]|min)(?: [0-9]{1,5}(?:[hdms]|min|sec)){1,4}(?![A-Za-z0-9])",
            r"[0-9]{1,6}[x\u00d7][0-9]{1,6}(?:[x\u00d7][0-9]{1,6})?(?![A-Za-z0-9])",
            rf"[-+]?[0-9]{{1,40}}(?:[.,][0-9]{{1,40}}){{0,8}}{_EXPONENT}{_UNIT}(?![A-Za-z0-9])",
            r"(?:NaN|-?Infinity)(?![\w.(])",
            r"(?:(?![0-9])\d){1,40}(?!\w)",
        ),
    ),
    (
        "mixed",
        (
            r"(?=[A-Za-z_-]{0,24}[0-9])[A-Za-z0-9][A-Za-z0-9_-]{5,63}(?![A-Za-z0-9_])",
            r"[a-z]{2,8}_[A-Za-z0-9]{12,40}(?![A-Za-z0-9_])",
        ),
    ),
    ("quoted", (r"'[^'\n]{1,500}'", r'"[^"\n]{1,500}"', r"`[^`\n]{1,500}`")),
    (
        "text",
        (
            r"“[^”\n]{1,500}”",
            r"„[^“”\n]{1,500}[“”]",
            r"«[^»\n]{1,500}»",
            r"\u2018[^\u2019\n]{1,500}\u2019",
        ),
    ),
)


def _compiled(without: str) -> re.Pattern[str]:
    """Every kind begins where a word may: so an apostrophe is no quotation mark, and most
    places cost nothing.
    """
    kinds = "|".join(f"(?P<{kind}>{'|'.join(texts)})" for kind, texts in _KINDS if kind != without)
    return re.compile(f"(?<![A-Za-z0-9])(?:{kinds})")


_WITH_EMAIL, _WITHOUT_EMAIL = _compiled(""), _compiled("email")
_HINT = re.compile(
    r"\d|['\"`=“„«\u2018\\]|://|earer|blob:|data:|\.[a-z]{2}|[a-z]-[A-Z]|NaN|Infinity"
    r"|:[0-9A-F]{2}:|[a-z]_[A-Za-z]{12}"
)  # without any of these or an @ there is nothing to replace
_QUERY = re.compile(r"\?[\w.~%+\[\]-]{1,60}=[^\s\"'<>]{0,300}")
_IDS_IN_PATH = re.compile(r"(?<=[a-z]/)[A-Za-z][A-Za-z.]{0,40}[-_][\w.-]{0,40}[0-9](?![\w.-])")
_GLUED = re.compile(
    r"(?<![\w<])(?!base(?:32|64)|mpeg4|latin1|webp2)([a-z]{4,30})[0-9]{1,9}(?![\w>])"
)
_LIST = re.compile(r"(<[a-z0-9]{2,8}>)(?:, ?\1){1,500}")
_NAMED_AFTER = re.compile(r"(?:for|named|called|value|got|user|search|query|find|upload) \Z")
_USER_FILE = re.compile(r"\.(?:docx?|xlsx?|pdf|jpe?g|png|csv|txt|zip)\Z", re.IGNORECASE)
_CHANGES = re.compile(r"[0-9][A-Za-z]|[A-Za-z][0-9]")
_IDENTIFIER = re.compile(r"[A-Za-z_$#][\w$.#:-]*\Z")
_BETWEEN = re.compile(r"([-_])")
_HEXADECIMAL = re.compile(r"[0-9a-f]{7,64}|[0-9A-F]{7,64}")
_FIGURES = re.compile(r"(?<![A-Za-z0-9])[0-9]{1,40}(?![A-Za-z0-9])")


def parametrised(text: str) -> str:
    """`request 17 took 123ms` is `request <number> took <number>`.

    What names a thing stays: status codes, error numbers, identifiers in quotes.
    """
    if "@" in text:
        return _numbered(_WITH_EMAIL.sub(_replaced, _in_path(text)))
    if not _HINT.search(text):
        return text
    return _numbered(_WITHOUT_EMAIL.sub(_replaced, _in_path(text)))


def _in_path(text: str) -> str:
    """`/users/anna-42` and `/search?q=hat` without what is in them; an address is left whole."""
    if "/" not in text or "://" in text:
        return text
    return _IDS_IN_PATH.sub("<id>", _QUERY.sub("?<query>", text))


def _numbered(text: str) -> str:
    """`slot12` is `slot<number>`; `h264`, `OAuth2` and `ES2015` are names. A list is as good as
    its first value.
    """
    return _LIST.sub(r"\1", _GLUED.sub(r"\1<number>", text))


def _replaced(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    say = _SAY.get(kind)
    return say(found) if say else f"<{kind}>"


def _quoted(found: re.Match[str]) -> str:
    text = found[0]
    return text if _names(found) else f"{text[0]}<text>{text[-1]}"


def _ip6(found: re.Match[str]) -> str:
    return "<ip>" if _is_ip6(found[0]) else _FIGURES.sub("<number>", found[0])


def _names(found: re.Match[str]) -> bool:
    """Whether what is in quotes is a name that somebody wrote into the program."""
    inner = found[0][1:-1]
    if not _IDENTIFIER.match(inner) or _USER_FILE.search(inner) or _WITH_EMAIL.search(inner):
        return False
    before = found.string[max(0, found.start() - 12) : found.start()]
    return found[0][0] != '"' or not (inner.islower() and _NAMED_AFTER.search(before))


def _mixed(text: str) -> str:
    """Letters and digits in one word: an id, or parts of it are."""
    if len(text) >= 16 and _is_id(text):
        return "<id>"
    head, separator, tail = text.rpartition("_" if "_" in text else "-")
    if separator and len(tail) >= 12 and random_names.is_random(tail):
        return f"{head}{separator}<id>"
    parts = _BETWEEN.split(text)
    return "".join(_part(part) for part in parts)


def _is_id(text: str) -> bool:
    digits = sum(char.isdecimal() for char in text)
    if digits == len(text) or digits < 2 or random_names.is_hex(text):
        return False
    mixed = any(map(str.isupper, text)) and any(map(str.islower, text))
    first = _BETWEEN.split(text)[0]
    wordy = len(first) < len(text) and (first.isalpha() and random_names.is_words(first))
    return not wordy and (mixed or (len(text) >= 20 and digits >= 4 and text.isalnum()))


def _part(part: str) -> str:
    """One part of a word with `-` and `_`: hashes and numbers have forms of their own."""
    if _HEXADECIMAL.fullmatch(part):
        return _hex(part)
    if part.isdecimal():
        return "<number>"
    if len(part) >= 5 and len(_CHANGES.findall(part)) >= 2 and part.isalnum():
        return "<id>"
    return part


def _hex(text: str) -> str:
    """`a93c7d2` is a hash, `1234567` a number, `defaced` a word."""
    digits = sum(char.isdecimal() for char in text)
    if digits == len(text):
        return "<number>"
    return "<hex>" if digits else text


def _is_ip6(text: str) -> bool:
    """`2001:db8::1` is one; `Fee::add`, though it could be, is not."""
    if not any(char.isdecimal() for char in text):
        return False
    try:
        IPv6Address(text.partition("%")[0])
    except (AddressValueError, ValueError):
        return False
    return True


_SAY: dict[str, Callable[[re.Match[str]], str]] = {
    "keep": lambda found: found[0],
    "quoted": _quoted,
    "text": lambda found: f"{found[0][0]}<text>{found[0][-1]}",
    "mixed": lambda found: _mixed(found[0]),
    "hex": lambda found: _hex(found[0]),
    "ip6": _ip6,
}
"""What stands for a value, where it is not `<kind>`."""
