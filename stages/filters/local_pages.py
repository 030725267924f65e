"""Whether an error happened on a developer's machine, or in a browser that is too old."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from stages.grouping.user_agents import client

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCAL = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "[::1]"})  # noqa: S104 - addresses of pages, nothing is bound
_LOCAL_ENDS = (".localhost", ".local", ".localdomain")


@lru_cache(maxsize=2048)
def is_local(address: str) -> bool:
    """A page on a developer's own machine."""
    if address[:5].lower() == "file:":
        return True
    scheme, found, rest = address[:300].lower().partition("://")
    if not found or scheme not in ("http", "https"):
        return False
    host = rest.partition("/")[0].partition("?")[0].partition("#")[0].rpartition("@")[2]
    host = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    return host in _LOCAL or host.endswith(_LOCAL_ENDS)


def is_legacy(user_agent: str, oldest: Mapping[str, int]) -> bool:
    """A browser older than the oldest that is listed.

    One that is not listed, or has no version, is not.
    """
    family, _, major = client(user_agent).browser.rpartition(" ")
    if not (major.isascii() and major.isdecimal() and len(major) <= 9):
        return False
    return int(major) < oldest.get(family, 0)
