"""The part of Sentry's API that sentry-cli needs to upload source maps. Every answer is JSON, a refusal `{detail}`."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from aiohttp import web
from pydantic import ValidationError

from stages.sourcemaps.assembling import BUNDLE, Order
from stages.sourcemaps.chunks import CHUNK, Wrong
from stages.sourcemaps.receiving import PARTS, REQUEST, receive
from stages.sourcemaps.releases import release

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiohttp.typedefs import Middleware

    from catchwater.projects import Projects
    from stages.sourcemaps.assembling import Assembler
    from stages.sourcemaps.chunks import Chunks

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()

BODY = 2**20
"""Bytes of a request that is JSON."""

SWEEP = 60.0
"""Seconds between looks for what waits too long."""

ALIVE = "/healthz"
"""The one path that needs no token."""

_ORGANISATION = "/api/0/organizations/{organisation}"
_PROJECT = "/api/0/projects/{organisation}/{project}"  # as sentry-cli 2 asks
routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Desk:
    """What the handlers need."""

    assembler: Assembler
    chunks: Chunks
    projects: Callable[[], Projects]
    token: str = field(repr=False)


DESK = web.AppKey("desk", Desk)


def application(desk: Desk) -> web.Application:
    app = web.Application(middlewares=[_plainly, _known(desk.token)], client_max_size=BODY)
    app[DESK] = desk
    app.add_routes(routes)
    app.cleanup_ctx.append(_sweeping)
    return app


@routes.get(ALIVE)
async def alive(_request: web.Request) -> web.Response:
    return web.Response(text="alive\n")


@routes.get(_ORGANISATION + "/chunk-upload/")
async def abilities(request: web.Request) -> web.Response:
    """What this server takes. The address has no host, so that it holds behind any proxy."""
    told: dict[str, Any] = {
        "url": request.rel_url.raw_path, "chunkSize": CHUNK, "chunksPerRequest": PARTS, "maxFileSize": BUNDLE,
        "maxRequestSize": REQUEST, "concurrency": 2, "hashAlgorithm": "sha1", "compression": ["gzip"],
        "accept": ["release_files", "artifact_bundles", "artifact_bundles_v2"],
    }  # fmt: skip
    return _json(told)


@routes.post(_ORGANISATION + "/chunk-upload/")
async def upload(request: web.Request) -> web.Response:
    log.debug("chunks came in", count=await receive(request, request.app[DESK].chunks))
    return _json({})


@routes.post(_ORGANISATION + "/artifactbundle/assemble/")
async def assemble(request: web.Request) -> web.Response:
    desk, told = request.app[DESK], await _body(request)
    if isinstance(told, dict) and isinstance(told.get("chunks"), list) and len(told["chunks"]) > BUNDLE // CHUNK:
        raise Wrong(413, f"a bundle may have {BUNDLE:,} bytes, {BUNDLE // CHUNK} chunks: upload its folders one by one")
    try:
        order = Order.model_validate(told)
    except ValidationError as error:
        raise Wrong(400, _mistakes(error)) from None
    projects = tuple(dict.fromkeys(_project(desk.projects(), one) for one in order.projects))
    return _json(await desk.assembler.state(order.model_copy(update={"projects": projects})))


@routes.post(_ORGANISATION + "/releases/")
@routes.put(_ORGANISATION + "/releases/{version}/")
@routes.post(_PROJECT + "/releases/")
@routes.put(_PROJECT + "/releases/{version}/")
async def released(request: web.Request) -> web.Response:
    """`sentry-cli releases new` and `finalize`, which scripts call around an upload: nothing has to be done."""
    version = request.match_info.get("version") or _field(await _body(request), "version")
    return _json(release(version), 201 if request.method == "POST" else 200)


def _project(projects: Projects, told: str) -> str:
    """The id of a project that is told by its id or its name."""
    by_id = projects.by_id(told)
    found = [by_id] if by_id else [one for one in projects.all if one.name == told]
    if len(found) == 1:
        return found[0].id
    known = ", ".join(f"{one.id} ({one.name})" for one in projects.all[:20]) or "none"
    several = f"{len(found)} projects have that name" if found else "there is no such project in projects.yaml"
    # 400, because sentry-cli does not show what a 404 says.
    raise Wrong(400, f"--project {told[:100]!r}: {several}; there are: {known}")


async def _body(request: web.Request) -> Any:
    try:
        return orjson.loads(await request.read())
    except ValueError as error:
        raise Wrong(400, f"the request is no JSON: {str(error)[:200]}") from error


def _field(told: Any, name: str) -> str:
    value = told.get(name) if isinstance(told, dict) else None
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise Wrong(400, f"{name}: a text of up to 200 characters is needed")
    return value


def _mistakes(error: ValidationError) -> str:
    told = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the request'}: {one['msg']}" for one in told[:5])


def _known(token: str) -> Middleware:
    """Let in who knows the token, and nobody else anywhere."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), token.encode())
        if request.path != ALIVE and not (right and scheme.lower() == "bearer"):
            raise Wrong(401, "the token is not the one that CATCHWATER_MAPS_TOKEN is set to: see SENTRY_AUTH_TOKEN")
        return await handler(request)

    return middleware


@web.middleware
async def _plainly(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal as sentry-cli shows it."""
    try:
        return await handler(request)
    except Wrong as error:
        log.warning("refused", path=request.path[:300], status=error.status, why=str(error))
        return _json({"detail": str(error)}, error.status)
    except web.HTTPRequestEntityTooLarge:
        return _json({"detail": f"a request of this kind may have {BODY:,} bytes"}, 413)
    except web.HTTPException as error:
        detail = f"{error.reason}: {request.method} {request.path[:300]} is not among what sentry-cli needs for maps"
        return _json({"detail": detail}, error.status)
    except (UnicodeError, web.RequestPayloadError) as error:
        return _json({"detail": f"the request cannot be read: {str(error)[:200]}"}, 400)


async def _sweeping(app: web.Application) -> AsyncIterator[None]:
    async def sweep() -> None:
        while True:
            await asyncio.sleep(SWEEP)
            app[DESK].assembler.sweep()

    sweeper = asyncio.create_task(sweep())
    yield
    sweeper.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sweeper
    await app[DESK].assembler.close()


def _json(told: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(told), status=status, content_type="application/json")
