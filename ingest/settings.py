"""What bounds a request."""

from __future__ import annotations

from dataclasses import dataclass

from catchwater.addresses import NONE, TrustedProxies


@dataclass(frozen=True, slots=True)
class Limits:
    """Declared as options of `catchwater ingest`: see commands/ingest.py."""

    body_bytes: int = 20_000_000
    """Of an envelope, and of what it unpacks to; a post that is one document has 2 MB at most."""
    event_bytes: int = 200_000
    """Of an event that goes on; what is longer is cut."""
    in_flight_bytes: int = 32_000_000
    """Of all posts that are being read or stored."""
    proxies: TrustedProxies = NONE
    """Whose word on where a request comes from is believed."""
    public_url: str = ""
    """How browsers reach ingest; empty: by the address of their request for the script."""
    body_seconds: float = 15.0
    """That a body may take to arrive."""
    header_seconds: float = 15.0
    """That a new connection may take for its first request."""
