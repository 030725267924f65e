"""Values with a unit, as people write them in the configuration: `30s`, `24h`, `20/h`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)")
_PER_HOUR = re.compile(r"(\d{1,9})/h")


def parse_duration(text: Any) -> timedelta:
    """`1500ms`, `30s`, `5m`, `24h` or `30d`. Raises ValueError for anything else."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise ValueError("write a number and a unit: ms, s, m, h or d, such as 30s")
    try:
        return float(match[1]) * _UNITS[match[2]]
    except OverflowError:
        raise ValueError("this is longer than two million years; write a shorter one") from None


def parse_per_hour(text: Any) -> int:
    """`20/h` as the number 20. Raises ValueError for anything else."""
    match = _PER_HOUR.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise ValueError("write a number an hour, such as 20/h")
    return int(match[1])


def format_duration(value: timedelta) -> str:
    """As people write it, in the largest unit that needs no fraction: 24 hours are `1d`."""
    for unit in ("d", "h", "m", "s"):
        if value >= _UNITS[unit] and value % _UNITS[unit] == timedelta(0):
            return f"{value // _UNITS[unit]}{unit}"
    return f"{value / _UNITS['ms']:.0f}ms"


Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration)]
PerHour = Annotated[int, BeforeValidator(parse_per_hour), PlainSerializer(lambda n: f"{n}/h")]
