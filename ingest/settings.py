"""What bounds a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Declared as options of `catchwater ingest`: see commands/ingest.py."""

    body_bytes: int = 20_000_000
    """Of a body, and of what it unpacks to."""
    body_seconds: float = 15.0
    """That a body may take to arrive."""
    header_seconds: float = 15.0
    """That a new connection may take for its first request."""
    trust_proxy: bool = False
    """Whether X-Forwarded-For is believed."""
    public_url: str = ""
    """How browsers reach ingest; empty: by the address of their request for the script."""
