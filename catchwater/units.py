"""Values with a unit, as people write them in the configuration: `30s`, `24h`, `20/h`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: Any) -> float:
    """`1500ms`, `30s`, `5m`, `24h`, `30d` in seconds. Raises ValueError for anything else."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)", text) if isinstance(text, str) else None
    if not match:
        raise ValueError("write a number and a unit: ms, s, m, h or d, such as 30s")
    return float(match[1]) * _SECONDS[match[2]]


def per_hour(text: Any) -> int:
    """`20/h` as the number 20. Raises ValueError for anything else."""
    match = re.fullmatch(r"(\d{1,9})/h", text) if isinstance(text, str) else None
    if not match:
        raise ValueError("write a number an hour, such as 20/h")
    return int(match[1])


def spelled(value: float) -> str:
    """Seconds as people write them, in the largest unit that needs no fraction: 86400 is `1d`."""
    for unit in ("d", "h", "m", "s"):
        if value >= _SECONDS[unit] and value % _SECONDS[unit] == 0:
            return f"{value / _SECONDS[unit]:.0f}{unit}"
    return f"{value * 1000:.0f}ms"


Duration = Annotated[float, BeforeValidator(seconds), PlainSerializer(spelled)]
PerHour = Annotated[int, BeforeValidator(per_hour), PlainSerializer(lambda n: f"{n}/h")]
