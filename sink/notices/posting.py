"""One POST to an address that somebody configured, and to nothing inside the own network."""

from __future__ import annotations

import socket
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from catchwater.errors import RefusedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S = 10.0
_AGAIN = {408, 425, 429}
"""Answers below 500 after which the same may be asked again."""


def post(url: str, body: bytes, headers: Mapping[str, str], *, private: bool) -> None:
    """Raises UnavailableError when it may be sent again later, RefusedError when not.

    Redirects are not followed. Without `private`, addresses that are not public are refused: the
    one that was looked at is the one that is connected to, whatever the name says a moment later.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(host, port, timeout=TIMEOUT_S)
    try:
        address = _address(host, port, private=private)
        connection._create_connection = (  # type: ignore[attr-defined]  # noqa: SLF001 - http.client has no other way to say where
            lambda _named, *rest: socket.create_connection((address, port), *rest)
        )
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, dict(headers))
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise UnavailableError(f"{host}:{port} cannot be reached: {error!r}") from error
    finally:
        connection.close()
    _check(status, host)


def _check(status: int, host: str) -> None:
    if 200 <= status < 300:
        return
    if status >= 500 or status in _AGAIN:
        raise UnavailableError(f"{host} answered {status}")
    raise RefusedError(f"{host} answered {status}: look at its address in projects.yaml")


def _address(host: str, port: int, *, private: bool) -> str:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    for one in addresses:
        if private or _is_public(one):
            return one
    raise RefusedError(
        f"{host} is {', '.join(addresses)}, no public address; "
        "--allow-private lets notices go there"
    )


def _is_public(text: str) -> bool:
    address = ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return (mapped or address).is_global and not (mapped or address).is_multicast
