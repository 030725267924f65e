"""Times as text, for programs, and the hours that they are in. Pure."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def hour_of(time: datetime) -> datetime:
    """When the hour of `time` began."""
    return time.replace(minute=0, second=0, microsecond=0)


def iso(time: datetime) -> str:
    """`2026-11-23T14:28:00.123Z`."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
