"""How browsers reach ingest: its public address, for one project or for all. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catchwater.projects import Project

PUBLIC = r"^https?://[A-Za-z0-9._:\[\]-]+(/[A-Za-z0-9._~%@+-]*)*$"
"""Such as https://errors.example or https://shop.example/assets/cw. ASCII: what a browser sends, not what it shows."""

_PUBLIC = re.compile(PUBLIC)


def public(address: str) -> str:
    """`address` without a slash at its end; '' stays ''. Raises ValueError."""
    if address and not _PUBLIC.fullmatch(address):
        raise ValueError(
            f"{address[:200]!r} is no address of ingest: it begins with https:// (or http://), then a host, and a path "
            "if there is one; no query, no spaces; write a host of other letters as xn--..."
        )
    return address.rstrip("/")


def of_project(project: Project, public_url: str) -> str:
    """Where the pages of `project` find ingest: its own address, else that of all, else '': as they ask."""
    return (project.url or public_url).rstrip("/")
