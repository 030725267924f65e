"""The page that asks for the password, and what its form sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from dashboard.context import app_context

if TYPE_CHECKING:
    from dashboard.security import Guard


def routes(guard: Guard) -> list[web.RouteDef]:
    async def enter(request: web.Request) -> web.StreamResponse:
        """Where the person wanted to go, with a session; or the page once more."""
        form = await request.post()
        to, given = _own_path(str(form.get("to", ""))), str(form.get("password", ""))
        if not guard.password:
            raise web.HTTPSeeOther(to)
        if refusal := await guard.refusal_of_password(request, given.encode()):
            return page(request, refusal, to)
        answer = web.Response(status=303, headers={"Location": to})
        guard.sessions.begin(request, answer)
        return answer

    async def leave(_request: web.Request) -> web.StreamResponse:
        answer = web.Response(status=303, headers={"Location": "/"})
        guard.sessions.end(answer)
        return answer

    return [web.post("/login", enter), web.post("/logout", leave)]


def page(request: web.Request, refusal: web.HTTPException, to: str) -> web.Response:
    """The form, with why it is shown. Whoever has no password reads nothing else."""
    text = app_context(request).renderer.page("login.html", why=refusal.text, to=to)
    kept = {name: refusal.headers[name] for name in ("Retry-After",) if name in refusal.headers}
    headers = {"Cache-Control": "no-store", **kept}
    return web.Response(status=refusal.status, text=text, content_type="text/html", headers=headers)


def _own_path(to: str) -> str:
    """A path of this site, whatever a stranger's link says: never another host."""
    elsewhere = to.startswith(("//", "/\\")) or not to.startswith("/") or not to.isprintable()
    return "/" if elsewhere else to
