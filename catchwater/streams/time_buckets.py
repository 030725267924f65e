"""Events are counted by hour (`2026112314`) and by month (`202611`), both in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

OPEN = timedelta(days=180)
"""How long an issue's counts of a month may still change in MongoDB, at least: far longer than
Redis has them (`MONTH_TTL_S`), so what is written later was written before.
"""


def hour(received: int) -> str:
    """The hour of a time in milliseconds since 1970."""
    return _name(received // 3_600_000)


def month(received: int) -> str:
    return hour(received)[:6]


def month_of(bucket: str) -> str:
    """The month of a bucket, which is an hour or a month."""
    return bucket[:6]


@lru_cache(maxsize=4096)
def start(bucket: str) -> datetime:
    """When an hour or a month begins."""
    form = "%Y%m%d%H" if len(bucket) == 10 else "%Y%m"
    return datetime.strptime(bucket, form).replace(tzinfo=UTC)


@lru_cache(maxsize=64)
def _name(hours: int) -> str:
    return datetime.fromtimestamp(hours * 3600, UTC).strftime("%Y%m%d%H")
