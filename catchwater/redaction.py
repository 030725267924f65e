"""Passwords in addresses, taken out before anybody sees them. Pure."""

from __future__ import annotations

import re

HIDDEN = "***"

_PASSWORD = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/@:]*):[^\s/]*@")
"""`scheme://user:password@`, however the address goes on."""

_OPTION = re.compile(r"([?&]\w{0,30}password=)[^\s&#]+", re.IGNORECASE)
"""`?sentinel_password=...`"""

_SEPARATOR = re.compile(r"[/:@?#&\s]")
"""What ends a part of an address, for whoever reads a password that was not escaped."""


def redacted_address(address: str) -> str:
    """`address`, which somebody may have mistyped, without all that could be its password."""
    login, at, place = address.rpartition("@")
    if not at:
        return redacted(address)
    scheme, slashes, user = login.rpartition("://")
    shown = f"{scheme}{slashes}{user.partition(':')[0]}" if slashes else ""
    return redacted(f"{shown}:{HIDDEN}@{place}")


def redacted_reason(error: Exception, address: str) -> str:
    """What a library says of `address`, unless it repeats a part of the password in it."""
    secret = address.rpartition("@")[0].rpartition("://")[2].partition(":")[2]
    said = str(error)
    repeats = any(len(part) > 1 and part in said for part in _SEPARATOR.split(secret))
    return "it is malformed" if repeats else redacted(said)


def redacted(text: str) -> str:
    """`text` without the passwords of the addresses in it: an address, or a message with some."""
    return _OPTION.sub(rf"\1{HIDDEN}", _PASSWORD.sub(rf"\1:{HIDDEN}@", text))
