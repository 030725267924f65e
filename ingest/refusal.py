"""What a post that cannot be taken just now is told. Pure."""

from __future__ import annotations

from dataclasses import dataclass

OVER_LIMIT_WAIT_S = 30
"""Seconds of Retry-After when a stream is over its limit or Redis's memory is short."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Not now: the status, the reason that is counted, and after how many seconds to try again."""

    status: int
    reason: str
    retry_after: int
    text: str
