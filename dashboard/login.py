"""Asks for the password: the page, what its form sends, and whom it stands in the way of."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from aiohttp import web

from dashboard.context import renderer
from dashboard.viewer import VIEWER

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

    from dashboard.security import Guard, Handler

FORM_S = 15.0
"""That what the form sends may take: nobody has said a password by then."""


def guarded(guard: Guard) -> Middleware:
    """Whom `guard` refuses gets the page that asks for the password, or, a program, its answer."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            request[VIEWER] = await guard.viewer(request)
        except web.HTTPException as refusal:
            if guard.password and _is_of_a_person(request):
                return _page(request, refusal, request.path_qs)
            raise
        return await handler(request)

    return middleware


def _is_of_a_person(request: web.Request) -> bool:
    headers = request.headers
    return "Authorization" not in headers and "text/html" in headers.get("Accept", "")


def routes(guard: Guard) -> list[web.RouteDef]:
    async def enter(request: web.Request) -> web.StreamResponse:
        """Where the person wanted to go, with a session; or the page once more."""
        form = parse_qs((await _body(request)).decode("utf-8", "replace"))
        to, given = (form.get(name, [""])[0] for name in ("to", "password"))
        to = _own_path(to)
        if not guard.password:
            raise web.HTTPSeeOther(to)
        if refusal := await guard.refusal_of(request, given.encode()):
            return _page(request, refusal, to)
        answer = web.Response(status=303, headers={"Location": to})
        guard.sessions.begin(request, answer)
        return answer

    async def leave(_request: web.Request) -> web.StreamResponse:
        answer = web.Response(status=303, headers={"Location": "/"})
        guard.sessions.end(answer)
        return answer

    return [web.post("/login", enter), web.post("/logout", leave)]


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(FORM_S):
            return await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="The form did not come in time.") from None


def _page(request: web.Request, refusal: web.HTTPException, to: str) -> web.Response:
    """The form, with why it is shown. Whoever has no password reads nothing else."""
    text = renderer(request).page("login.html", why=refusal.text, to=to)
    kept = {name: refusal.headers[name] for name in ("Retry-After",) if name in refusal.headers}
    headers = {"Cache-Control": "no-store", **kept}
    return web.Response(status=refusal.status, text=text, content_type="text/html", headers=headers)


def _own_path(to: str) -> str:
    """A path of this site, whatever a stranger's link says: never another host."""
    elsewhere = to.startswith(("//", "/\\")) or not to.startswith("/") or not to.isprintable()
    return "/" if elsewhere else to
