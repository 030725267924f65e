"""Sessions of people who logged in: a signed cookie, so that every dashboard process knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from itsdangerous import BadSignature, TimestampSigner

if TYPE_CHECKING:
    from aiohttp import web

COOKIE = "catchwater_session"

LIFE_S = 12 * 3600
"""A working day. Logging out forgets one in that browser; another password ends all of them."""


class Sessions:
    def __init__(self, key: bytes) -> None:
        self._signer = TimestampSigner(key, salt=COOKIE)

    def holds(self, request: web.Request) -> bool:
        """Whether somebody who logged in sends it."""
        given = request.cookies.get(COOKIE, "").encode("utf-8", "replace")  # it may be any bytes
        try:
            self._signer.unsign(given, max_age=LIFE_S)
        except BadSignature:
            return False
        return True

    def begin(self, request: web.Request, answer: web.StreamResponse) -> None:
        """Secure where the browser came by https, through a proxy too."""
        answer.set_cookie(
            COOKIE,
            self._signer.sign("in").decode(),
            max_age=LIFE_S,
            path="/",
            httponly=True,
            samesite="Strict",
            secure=request.secure or request.headers.get("X-Forwarded-Proto") == "https",
        )

    def end(self, answer: web.StreamResponse) -> None:
        answer.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
