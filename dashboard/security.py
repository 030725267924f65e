"""Protects every page: who may read it, under which host name, and what a browser may do with
it.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import math
import secrets
import time
from base64 import b64decode
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from aiohttp import web

from catchwater import metrics
from catchwater.addresses import NONE, TrustedProxies
from dashboard import passwords
from dashboard.guesses import Guesses
from dashboard.proxy_sign_in import ProxySignIn
from dashboard.sessions import Sessions
from dashboard.tokens import Tokens
from dashboard.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

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

_SEEN_KEY = secrets.token_bytes(32)

OPEN = "/healthz"
"""The one path that needs no password and no name: it only says that the process is alive."""

NOTHING_SENT = "A password is needed: the one set as CATCHWATER_DASHBOARD_PASSWORD."
NOTHING_SENT_BY_PROGRAM = (
    "A token is needed, as `Authorization: Bearer TOKEN`: `catchwater token new` makes one."
)
WRONG = "That is not the password."
NOT_SIGNED_IN = "Nobody is signed in: open the address of the proxy, which asks who you are."
NOT_VALID = "That token is not valid here, or not any more."


def loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Guard:
    """Who may ask: with a password, whoever logged in, and programs that send it each time; with
    tokens, programs that send one of them; with a proxy that signs people in, whom it names.

    Without any of it only this machine may, and only under a name of this machine: a page of a
    stranger's that had its own name point here (DNS rebinding) would read everything otherwise.
    """

    host: str = "127.0.0.1"
    password: str = field(default="", repr=False)
    """As it is, or its hash: see passwords.py."""
    proxies: TrustedProxies = NONE
    """Whose word it is taken for who guesses."""
    tokens: Tokens = field(default_factory=Tokens)
    sign_in: ProxySignIn = field(default_factory=ProxySignIn)
    names: frozenset[str] = field(default=frozenset({"localhost", "127.0.0.1", "[::1]"}))
    guesses: Guesses = field(default_factory=Guesses, compare=False)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock, compare=False)
    _right: set[bytes] = field(default_factory=set, compare=False, repr=False)
    """What was right lately, as a hash of its own: a program sends it with every request."""

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(passwords.session_key(self.password))

    @cached_property
    def _secret(self) -> passwords.Hash | passwords.Plain:
        return passwords.parse(self.password)

    @property
    def locked(self) -> bool:
        """Whether nobody may read who shows nothing."""
        return bool(self.password or self.tokens or self.sign_in)

    async def viewer(self, request: web.Request) -> Viewer:
        """Who asks. Raises web.HTTPException, which says why not, for whoever may not."""
        if request.path == OPEN:
            return Viewer()
        if request.method == "POST" and _is_of_another_site(request):
            raise web.HTTPForbidden(text="A page of another site sent that.")
        if not self.locked:
            if not self._named(request.headers.get("Host", "")):
                raise self._misnamed(request)
            return Viewer()
        if name := self.sign_in.name(request.headers, request.remote or ""):
            return Viewer(name)
        if _is_of_login(request) or (self.password and self.sessions.holds(request)):
            return Viewer()
        return await self._with_authorization(request)

    async def _with_authorization(self, request: web.Request) -> Viewer:
        """Whoever sends the password or a token each time. A right token clears nobody's record of
        wrong ones, and none can be guessed: so it never waits.
        """
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            raise self._ask(NOTHING_SENT if self.password else NOTHING_SENT_BY_PROGRAM)
        if scheme.lower() == "bearer":
            if token := self.tokens.find(value.strip().encode("utf-8", "replace")):
                return Viewer(project=token.project)
            refusal = await self.refusal_of(request, None, NOT_VALID)
        else:
            given = _password(value) if scheme.lower() == "basic" else None
            refusal = await self.refusal_of(request, given)
        if refusal:
            raise refusal
        return Viewer()

    async def refusal_of(
        self, request: web.Request, given: bytes | None, wrong: str = WRONG
    ) -> web.HTTPException | None:
        """Whether `given` is not the password. After wrong ones of its address even a right one
        waits. One is looked at after the other, so that many at once are no way round that.

        None was a wrong token, or nothing that can be a password: that counts as a wrong one.
        """
        async with self._one_at_a_time:
            now = time.monotonic()
            address = self.proxies.client(request.headers, request.remote or "")
            if wait_s := self.guesses.wait_s(address, now):
                metrics.WRONG_PASSWORDS.labels("not_looked_at").inc()
                return _wait(wait_s)
            if given is not None and await self._matches(given):
                self.guesses.right(address)
                return None
            self.guesses.wrong(address, now)
            metrics.WRONG_PASSWORDS.labels("wrong").inc()
            return self._ask(wrong)

    async def _matches(self, given: bytes) -> bool:
        if not self.password:
            return False  # or the empty one were right
        seen = hashlib.blake2b(given, key=_SEEN_KEY).digest()
        if seen in self._right:
            return True
        if right := await asyncio.to_thread(self._secret.matches, given):
            self._right.add(seen)  # there is but one that is right
        return right

    def _ask(self, why: str) -> web.HTTPException:
        """A 401, with the ways that there are (RFC 9110, section 11.6.1)."""
        if not self.password and not self.tokens:
            return web.HTTPForbidden(text=NOT_SIGNED_IN)
        ways = ['Basic realm="Catchwater", charset="UTF-8"'] * bool(self.password)
        ways += ['Bearer realm="Catchwater"'] * bool(self.tokens)
        return web.HTTPUnauthorized(text=why, headers={"WWW-Authenticate": ", ".join(ways)})

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


def _is_of_login(request: web.Request) -> bool:
    """What the page that asks for the password needs, and what it sends."""
    if request.method == "POST":
        return request.path in ("/login", "/logout")
    return request.path.startswith("/static/")


def _is_of_another_site(request: web.Request) -> bool:
    """What every browser of today says of itself; programs say nothing."""
    return request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")


def _password(value: str) -> bytes | None:
    """What a header of HTTP's basic authentication has, whoever the user is (RFC 7617)."""
    try:
        return b64decode(value.strip(), validate=True).partition(b":")[2]
    except ValueError:
        return None


def _without_port(host: str) -> str:
    head, colon, port = host.rpartition(":")
    return head if colon and port.isdigit() and not head.endswith(":") else host


def _wait(seconds: float) -> web.HTTPException:
    shown = max(1, math.ceil(seconds))
    return web.HTTPTooManyRequests(
        text=f"Too many wrong passwords or tokens: try again in {shown} s.",
        headers={"Retry-After": str(shown)},
    )
