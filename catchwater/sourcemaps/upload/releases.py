"""Releases and deploys as sentry-cli writes them, and as it expects them back. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

_FORM = "%Y-%m-%dT%H:%M:%SZ"


def release(version: str) -> dict[str, Any]:
    now = datetime.now(UTC).strftime(_FORM)
    return {
        "version": version,
        "url": None,
        "dateCreated": now,
        "dateReleased": now,
        "lastEvent": None,
        "newGroups": 0,
        "projects": [],
    }


def deploy(environment: str, at: datetime) -> dict[str, Any]:
    time = at.strftime(_FORM)
    dates = {"dateStarted": time, "dateFinished": time}
    return {"id": "1", "environment": environment, "name": None, "url": None, **dates}


def named(body: dict[str, Any]) -> list[str]:
    """The projects that a request names: sentry-cli sends an id of digits as a number."""
    found = body.get("projects")
    return [str(one) for one in found if one] if isinstance(found, list) else []


def moment(body: dict[str, Any], name: str) -> datetime:
    """A time of a request; now where there is none that can be read, or one that is to come."""
    now = datetime.now(UTC)
    try:
        found = datetime.fromisoformat(str(body.get(name)))
    except ValueError:
        return now
    return min(now, found if found.tzinfo else found.replace(tzinfo=UTC))
