"""Protects every page: who may read it, under which host name, and what a browser may do with
it.
"""

from __future__ import annotations

import hmac
import ipaddress
import math
import time
from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from catchwater import metrics
from dashboard.guesses import Guesses

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.typedefs import Middleware

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
        "'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""On every answer, those to what is no HTTP too: they keep hostile data from doing anything."""

OPEN = "/healthz"
"""The one path that needs no password and no name: it only says that the process is alive."""


def loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may ask.

    Without a password only this machine may, and only under a name of this machine: a page of a
    stranger's that had its own name point here (DNS rebinding) would read everything otherwise.
    """

    host: str = "127.0.0.1"
    password: str = field(default="", repr=False)
    names: frozenset[str] = field(default=frozenset({"localhost", "127.0.0.1", "[::1]"}))
    guesses: Guesses = field(default_factory=Guesses, compare=False)

    def refusal(self, request: web.Request) -> web.HTTPException | None:
        if request.path == OPEN:
            return None
        if self.password:
            return self._refusal_without_password(request)
        return None if self._named(request.headers.get("Host", "")) else self._misnamed(request)

    def _refusal_without_password(self, request: web.Request) -> web.HTTPException | None:
        """A password that was right is right at once; after wrong ones even a right one waits."""
        authorization = request.headers.get("Authorization", "")
        if not authorization:
            return _ask()
        address, now = request.remote or "", time.monotonic()
        if wait_s := self.guesses.wait_s(address, now):
            metrics.WRONG_PASSWORDS.labels("not_looked_at").inc()
            return _wait(wait_s)
        if self._knows(authorization):
            self.guesses.right(address)
            return None
        self.guesses.wrong(address, now)
        metrics.WRONG_PASSWORDS.labels("wrong").inc()
        return _ask()

    def _knows(self, authorization: str) -> bool:
        """Whether it carries the password, under any user's name.

        Takes as long for a near miss as for a far one.
        """
        scheme, _, value = authorization.partition(" ")
        try:
            given = b64decode(value.strip(), validate=True).partition(b":")[2]
        except ValueError:
            given = b""
        return hmac.compare_digest(given, self.password.encode()) and scheme.lower() == "basic"

    def _named(self, host: str) -> bool:
        return _without_port(host.lower()) in self.names | {
            self.host.lower(),
            f"[{self.host.lower()}]",
        }

    def _misnamed(self, request: web.Request) -> web.HTTPException:
        host = request.headers.get("Host", "")[:100]
        return web.HTTPMisdirectedRequest(
            text=f"Host {host!r} is not a name of this dashboard: open it as http://127.0.0.1 or "
            f"localhost, "
            "or give it a password (--password) to use it under another name."
        )


def guarded(guard: Guard) -> Middleware:
    """RefusedRequestError whom `guard` refuses."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = guard.refusal(request)
        if refusal is not None:
            raise refusal
        return await handler(request)

    return middleware


def _without_port(host: str) -> str:
    head, colon, port = host.rpartition(":")
    return head if colon and port.isdigit() and not head.endswith(":") else host


def _wait(seconds: float) -> web.HTTPException:
    shown = max(1, math.ceil(seconds))
    return web.HTTPTooManyRequests(
        text=f"Too many wrong passwords: try again in {shown} s.",
        headers={"Retry-After": str(shown)},
    )


def _ask() -> web.HTTPException:
    return web.HTTPUnauthorized(
        text="A password is needed: any user name, and the one set as --password.",
        headers={"WWW-Authenticate": 'Basic realm="Catchwater", charset="UTF-8"'},
    )
