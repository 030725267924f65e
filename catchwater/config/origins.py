"""Which pages may send: what `origins` of a project may say, and which one can never match.

A browser's `Origin` is a scheme, a host in ASCII, and a port unless it is the scheme's own; `null`
for a page that has none; `file://` in some apps.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_PORTS = {"http": "80", "https": "443"}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*\Z")
_HOST = re.compile(r"\*\Z|(?:\*\.)?(?:[a-z0-9_-]+\.)*[a-z0-9_-]+\Z|\[[0-9a-f:.]+\]\Z|\.\Z")


def plain(pattern: str) -> str:
    """`https://shop.example/` is `https://shop.example`; `file://` has nothing to take off."""
    pattern = pattern.lower()
    return pattern if pattern.endswith("://") else pattern.rstrip("/")


def split(origin: str) -> tuple[str, str, str]:
    """Scheme, host and port; '' for what is not there."""
    scheme, _, rest = origin.rpartition("://")
    host, colon, port = rest.rpartition(":")
    if not colon or rest.endswith("]"):
        return scheme, rest, ""
    return scheme, host, port


def that_can_match(pattern: str) -> str:
    """The pattern. Raises ValueError, with the right form, for one that no page has."""
    if right := _right_form(plain(pattern)):
        raise ValueError(
            f"{pattern[:200]!r} is the origin of no page, so every report would be refused: {right}"
        )
    return pattern


def _right_form(pattern: str) -> str:
    """What to write in its place; '' where nothing is wrong with it."""
    if pattern in ("null", "file://"):
        return ""
    scheme, host, port = split(pattern)
    at = f"{scheme}://" if scheme else ""
    if "/" in host or "/" in port:
        return f"an origin has no path; write {at}{host.partition('/')[0] or 'shop.example'}"
    if not host.isascii():
        return _in_ascii(at, host, port)
    if port and port == _PORTS.get(scheme):
        return f"browsers leave out that port; write {at}{host}"
    return _right_parts(scheme, host, port)


def _right_parts(scheme: str, host: str, port: str) -> str:
    if scheme and not _SCHEME.match(scheme):
        return "it begins with a scheme, such as https://shop.example"
    if not _HOST.match(host) or not (port.isdecimal() or not port):
        return (
            "write a host (https://shop.example), all of its subdomains (https://*.shop.example), "
            "an address ([::1]), or any of these with a port (localhost:3000)"
        )
    return ""


def _in_ascii(at: str, host: str, port: str) -> str:
    try:
        written = host.encode("idna").decode()
    except UnicodeError:
        return "browsers send hosts in ASCII, other letters as xn--..."
    return f"browsers send hosts in ASCII; write {at}{written}{':' * bool(port)}{port}"


Origin = Annotated[str, AfterValidator(that_can_match)]
"""An entry of `origins`."""
