"""A release as sentry-cli expects it.

Catchwater stores none: events and maps name their release.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def release(version: str) -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "version": version,
        "url": None,
        "dateCreated": now,
        "dateReleased": now,
        "lastEvent": None,
        "newGroups": 0,
        "projects": [],
    }
