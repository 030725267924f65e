"""Who sends: the key in the address, in a header, or in the envelope itself. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from catchwater.config import origins

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY = re.compile(r"(?:^|[\s,])sentry_key\s*=\s*([^\s,]+)")


def sentry_key(query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The public key of a Sentry client:

    `sentry_key` in the query, X-Sentry-Auth or Authorization; else empty.
    """
    if key := query.get("sentry_key", ""):
        return key
    for name in ("X-Sentry-Auth", "Authorization"):
        value = headers.get(name, "")
        if value.lower().startswith("sentry ") and (match := _KEY.search(value[7:])):
            return match[1]
    return ""


def dsn_key(dsn: str) -> tuple[str, str]:
    """Key and project of a DSN, `https://<key>@<host>/<project>`; empty where it has none."""
    try:
        parts = urlsplit(dsn)
        return parts.username or "", parts.path.rpartition("/")[2]
    except ValueError:
        return "", ""


def origin_allowed(origin: str, allowed: list[str]) -> bool:
    """Whether a page of that origin may send.

    A request without one comes from no page, and is allowed: the list keeps other sites' pages out,
    it is no secret.
    """
    if not allowed or not origin:
        return True
    return any(_matches(origin.lower(), origins.plain(one)) for one in allowed)


def _matches(origin: str, pattern: str) -> bool:
    """`https://shop.example` exactly, `https://*.shop.example` any subdomain, `https://*` any host
    and port, `shop.example` on any scheme and port, `localhost:3000` on any scheme, `file://` pages
    of an app.
    """
    scheme, host, port = origins.split(origin)
    wanted_scheme, wanted, wanted_port = origins.split(pattern)
    if wanted_scheme and wanted_scheme != scheme:
        return False
    if wanted == "*":
        return wanted_port in ("", port)
    if wanted_port != port and (wanted_scheme or wanted_port):
        return False
    return host.endswith(wanted[1:]) if wanted.startswith("*.") else host == wanted
