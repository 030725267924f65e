"""Tells a hash, an id or a number from a name that somebody chose. Pure.

Bundlers write hashes in hexadecimal, in base 32 (capitals), 36, 62 and 64 (with `-` and `_`), of 4
to 43 characters. A part of a file's name is one of these when it is not made of words.
"""

from __future__ import annotations

import re
from functools import lru_cache

_HEX = re.compile(r"[0-9a-f]{4,64}\Z|[0-9A-F]{4,64}\Z")
_HEX_WORDS = frozenset(
    (
        *("abed", "accede", "aced", "added", "babe", "bead", "beaded", "bedded", "beef", "cafe"),
        *("cede", "ceded", "dace", "dead", "deaf", "decade", "decaf", "deed", "deface", "defaced"),
        *("efface", "facade", "face", "faced", "fade", "faded", "feed"),
    )
)
"""The English words of the letters a to f that names of files have."""

_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[^A-Za-z0-9]+")
_BASE_32 = re.compile(r"[0-9a-hjkmnp-tv-z]{8}\Z")
"""Of Bun: without i, l, o and u, which hardly a word of eight letters does without."""

_VOWELS = frozenset("aeiouyAEIOUY")
_ODD = re.compile(
    r"q(?![lu])|[jqvwxz][jqvxz]|j(?![aeiou]|s\Z)|x[bdfgjkqrsvz]|v[bcdfghjklmnpqwxz]|"
    r"[cfghklmprstu]j(?!s\Z)|[cfghklmpr]z|[bfg]x|[bfv]k|hg|k[kx]|w[gmx]|xw|y[jkxy]|"
    r"z[bcdfgkmnprstvwx]|"
    r"(?!ngth|ghts|.(?:s[cpt][hlr]|[cpst]hr)|..(?:[bcdfgpt]r|[bcfgp]l|s[cklmnptw]|[cst]h))"
    r"[bcdfghjklmnpqrstvwxz]{4}",
    re.IGNORECASE,
)
"""What words of European languages and their abbreviations hardly have. Four consonants in a row
do occur where a syllable begins with some of them: `abstract`, `workflow`.
"""

_BEGINNINGS = re.compile(
    r".?[aeiouy]|[bcfgkp][hlr]|ck|d[rw]|gn|k[nv]|p[dns]|s[chklmnpqtvw]|t[hrsw]|v[lr]|w[hr]|xt",
    re.IGNORECASE,
)
"""How words of five letters and more begin."""

_WORD_LENGTH = 5
_SHORT_WORDS = frozenset(
    (
        *("ad", "at", "by", "db", "de", "do", "en", "es", "fr", "go", "id", "in", "io", "is"),
        *("it", "js", "me", "my", "no", "of", "on", "or", "os", "pt", "qr", "to", "ts", "tv"),
        *("ui", "up", "us", "ux", "we", "zh"),
    )
)
_WORD_AND_NUMBER = re.compile(r"([A-Z]?[a-z]{2,})[0-9]{1,4}\Z")
_ACRONYMS = frozenset(
    (
        *("ab", "ai", "api", "aws", "cdn", "cms", "crm", "css", "csv", "db", "dom", "eu", "faq"),
        *("gps", "html", "http", "id", "ios", "io", "ip", "json", "jwt", "ok", "os", "pdf"),
        *("pwa", "qa", "qr", "rss", "sdk", "seo", "sms", "sql", "sso", "svg", "tv", "ui", "uk"),
        *("url", "us", "ux", "vip", "vr", "xhr", "xml"),
    )
)
"""What is written in capitals and yet a word."""


@lru_cache(maxsize=4096)
def is_hex(part: str) -> bool:
    """A content hash in hexadecimal, or a time: 4 and more figures, or letters that are no word."""
    if not _HEX.match(part):
        return False
    if part.isdecimal():
        return len(part) >= 4
    return any(char.isdecimal() for char in part) or part.lower() not in _HEX_WORDS


@lru_cache(maxsize=4096)
def is_words(part: str, *, camel: bool = True) -> bool:
    """`checkout`, `Overview`, `app-list`; with `camel` also `userList` and `HTMLPage`.

    Of 8 random characters in base 64, fewer than 1 in 1,000 are words without `camel`.
    """
    pieces = _PIECES.findall(part)
    letters = [piece for piece in pieces if piece[0].isalpha()]
    if not letters or any(piece.isdecimal() for piece in pieces):
        return False
    if not camel and (len(letters) > 1 and not _is_kebab(part)):
        return False
    return all(_is_word(piece) for piece in letters)


def _is_kebab(part: str) -> bool:
    return part == part.lower() and part[0] not in "-_" and part[-1] not in "-_"


def _is_word(piece: str) -> bool:
    if piece.isupper():
        return piece.lower() in _ACRONYMS
    if len(piece) <= 2:
        return piece.lower() in _SHORT_WORDS
    vowels = sum(char in _VOWELS for char in piece)
    if not 0 < vowels >= len(piece) // 5 or vowels == len(piece) or _ODD.search(piece):
        return False
    return len(piece) < _WORD_LENGTH or bool(_BEGINNINGS.match(piece))


@lru_cache(maxsize=4096)
def is_random(part: str, *, trusted: bool = False) -> bool:
    """Whether these 6 to 43 characters are a hash. `trusted`: one is expected here, so all that is
    not plainly a word is one; else it must look like one.
    """
    if "." in part or is_words(part, camel=not trusted):
        return False
    if trusted:
        return True
    numbered = _WORD_AND_NUMBER.match(part)
    if numbered and _is_word(numbered[1]):
        return False
    looks_random = any(map(str.isdecimal, part)) or any(map(str.isupper, part[1:]))
    return looks_random or bool(_BASE_32.match(part))
