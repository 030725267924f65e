"""What in a message differs from visit to visit: numbers, ids, addresses, dates, values.

Every repetition is of a single class of characters and bounded, so the time is linear in the
message.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address

_UUID = "-".join(f"[0-9a-fA-F]{{{length}}}" for length in (8, 4, 4, 4, 12))
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
_ZONE = r"(?: ?(?:Z|GMT|UTC)?(?:[+-][0-9]{2}:?[0-9]{2})?)"
_ZONE_NAME = r"(?: \([^)\n]{1,40}\))?"
_WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_EXPONENT = r"(?:[eE][+-]?[0-9]{1,3})?"
_UNIT = r"(?: ?(?:ms|s|sec|seconds?|min|minutes?|h|px|em|[kKMGT]i?[bB]|bytes?|B|%))?"

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
        ),
    ),
    ("email", (r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}",)),
    ("url", (r"(?:https?|wss?|file|blob|ftp|data|[a-z]{2,10}-extension):[^\s\"'<>\\]{3,}",)),
    ("uuid", (rf"{_UUID}(?![0-9A-Za-z])",)),
    (
        "date",
        (
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
        ),
    ),
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
        (rf"[-+]?[0-9]{{1,40}}(?:[.,][0-9]{{1,40}}){{0,8}}{_EXPONENT}{_UNIT}(?![A-Za-z0-9])",),
    ),
    ("quoted", (r"'[^'\n]{1,500}'", r'"[^"\n]{1,500}"', r"`[^`\n]{1,500}`")),
)


def _compiled(without: str) -> re.Pattern[str]:
    """Every kind begins where a word may: so an apostrophe is no quotation mark, and most
    places cost nothing.
    """
    kinds = "|".join(f"(?P<{kind}>{'|'.join(texts)})" for kind, texts in _KINDS if kind != without)
    return re.compile(f"(?<![A-Za-z0-9])(?:{kinds})")


_WITH_EMAIL, _WITHOUT_EMAIL = _compiled(""), _compiled("email")
_HINT = re.compile(
    r"[0-9'\"`=]|://|earer|blob:|data:"
)  # without any of these or an @ there is nothing to replace
_IDENTIFIER = re.compile(r"[A-Za-z_$#][\w$.#:-]*\Z")
_FIGURES = re.compile(r"(?<![A-Za-z0-9])[0-9]{1,40}(?![A-Za-z0-9])")


def parametrised(text: str) -> str:
    """`request 17 took 123ms` is `request <number> took <number>`.

    What names a thing stays: status codes, error numbers, identifiers in quotes.
    """
    if "@" in text:
        return _WITH_EMAIL.sub(_replaced, text)
    return _WITHOUT_EMAIL.sub(_replaced, text) if _HINT.search(text) else text


def _replaced(found: re.Match[str]) -> str:
    kind, text = found.lastgroup, found[0]
    if kind == "keep":
        return text
    if kind == "quoted":
        inner = text[1:-1]
        return (
            text
            if _IDENTIFIER.match(inner) and not _WITH_EMAIL.search(inner)
            else f"{text[0]}<text>{text[-1]}"
        )
    if kind == "hex":
        return _hex(text)
    if kind == "ip6":
        return "<ip>" if _is_ip6(text) else _FIGURES.sub("<number>", text)
    return f"<{kind}>"


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
