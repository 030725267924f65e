"""Passwords in addresses, taken out before anybody sees them. Pure."""

from __future__ import annotations

import re

HIDDEN = "***"

_PASSWORD = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/@:]*):[^\s/]*@")
"""`scheme://user:password@`, however the address goes on."""

_OPTION = re.compile(r"([?&]\w{0,30}password=)[^\s&#]+", re.IGNORECASE)
"""`?sentinel_password=...`"""


def redacted(text: str) -> str:
    """`text` without the passwords of the addresses in it: an address, or a message with some."""
    return _OPTION.sub(rf"\1{HIDDEN}", _PASSWORD.sub(rf"\1:{HIDDEN}@", text))
