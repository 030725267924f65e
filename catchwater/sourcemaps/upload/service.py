"""The part of Sentry's API that sentry-cli needs to upload source maps.

Every answer is JSON, a refusal `{detail}`.
"""

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

from catchwater.errors import UnavailableError, UploadError
from catchwater.sourcemaps.upload import releases
from catchwater.sourcemaps.upload.assembling import BUNDLE, Order, ReleaseOrder
from catchwater.sourcemaps.upload.chunks import CHUNK
from catchwater.sourcemaps.upload.receiving import PARTS, REQUEST, receive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from datetime import datetime

    from aiohttp.typedefs import Middleware

    from catchwater.config.projects import Projects
    from catchwater.sourcemaps.upload.assembling import Assembler
    from catchwater.sourcemaps.upload.chunks import Chunks

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()

BODY = 2**20
"""Bytes of a request that is JSON."""

SWEEP_EVERY_S = 60.0
"""Seconds between looks for what waits too long."""

ALIVE = "/healthz"
"""The one path that needs no token."""

_LONGEST = 200
"""Characters of a release or an environment, as ingest cuts them."""

_ORGANISATION = "/api/0/organizations/{organisation}"
_PROJECT = "/api/0/projects/{organisation}/{project}"  # as sentry-cli 2 asks
routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class UploadContext:
    """What the handlers need."""

    assembler: Assembler
    chunks: Chunks
    projects: Callable[[], Projects]
    mark: Callable[[str, str, str, datetime], None]
    """Remember that a release of a project was deployed to an environment at a time."""
    marked: Callable[[str], list[str]]
    """The projects in which a release was deployed."""
    token: str = field(repr=False)


CONTEXT = web.AppKey("context", UploadContext)


def application(context: UploadContext) -> web.Application:
    app = web.Application(middlewares=[_plainly, _known(context.token)], client_max_size=BODY)
    app[CONTEXT] = context
    app.add_routes(routes)
    app.cleanup_ctx.append(_sweeping)
    return app


@routes.get(ALIVE)
async def alive(_request: web.Request) -> web.Response:
    return web.Response(text="alive\n")


@routes.get(_ORGANISATION + "/chunk-upload/")
async def abilities(request: web.Request) -> web.Response:
    """What this server takes."""
    body: dict[str, Any] = {
        "url": _as_the_client_came(request),
        "chunkSize": CHUNK,
        "chunksPerRequest": PARTS,
        "maxFileSize": BUNDLE,
        "maxRequestSize": REQUEST,
        "concurrency": 2,
        "hashAlgorithm": "sha1",
        "compression": ["gzip"],
        "accept": ["release_files", "artifact_bundles", "artifact_bundles_v2"],
    }
    return _json(body)


def _as_the_client_came(request: web.Request) -> str:
    """The address of this request, absolute: the `sentry` command refuses one without a host.

    Behind a proxy it is the proxy's, where that passes on the Host header (or X-Forwarded-Host) and
    X-Forwarded-Proto. A client that invents them sends only its own upload elsewhere.
    """
    headers = request.headers
    scheme = headers.get("X-Forwarded-Proto", request.scheme).partition(",")[0].strip()
    host = headers.get("X-Forwarded-Host", request.host).partition(",")[0].strip()
    return f"{scheme}://{host}{request.rel_url.raw_path}"


@routes.post(_ORGANISATION + "/chunk-upload/")
async def upload(request: web.Request) -> web.Response:
    log.debug("chunks came in", count=await receive(request, request.app[CONTEXT].chunks))
    return _json({})


@routes.post(_ORGANISATION + "/artifactbundle/assemble/")
async def assemble(request: web.Request) -> web.Response:
    context, order = request.app[CONTEXT], _order(await _body(request), Order)
    projects = tuple(dict.fromkeys(project_id(context.projects(), one) for one in order.projects))
    return _json(await context.assembler.state(order.model_copy(update={"projects": projects})))


@routes.post(_ORGANISATION + "/releases/{version}/assemble/")
async def assemble_release(request: web.Request) -> web.Response:
    """As sentry-cli 1, and 2 before 2.15, ask for it: the bundle itself names its project."""
    order = _order(await _body(request), ReleaseOrder)
    version = {"version": request.match_info["version"]}
    return _json(await request.app[CONTEXT].assembler.state(order.model_copy(update=version)))


@routes.get(_PROJECT + "/releases/{version}/files/")
async def files(_request: web.Request) -> web.Response:
    """What an older sentry-cli need not send again: nothing that it knows of."""
    return _json([])


@routes.post(_PROJECT + "/releases/{version}/files/")
async def one_by_one(_request: web.Request) -> web.Response:
    # 400, because sentry-cli does not show what a 404 says.
    raise UploadError(
        400,
        "files are not taken one by one: upload a folder, by `sentry-cli sourcemaps upload` or "
        "`sentry-cli releases files RELEASE upload-sourcemaps`; if this was one, sentry-cli is too "
        "old",
    )


def _order(body: Any, kind: type[Order]) -> Order:
    """Raises UploadError for what is none."""
    if (
        isinstance(body, dict)
        and isinstance(body.get("chunks"), list)
        and len(body["chunks"]) > BUNDLE // CHUNK
    ):
        raise UploadError(
            413,
            (
                f"a bundle may have {BUNDLE:,} bytes, {BUNDLE // CHUNK} chunks: upload its folders "
                f"one by one"
            ),
        )
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise UploadError(400, _mistakes(error)) from None


@routes.post(_ORGANISATION + "/releases/")
@routes.put(_ORGANISATION + "/releases/{version}/")
@routes.post(_PROJECT + "/releases/")
@routes.put(_PROJECT + "/releases/{version}/")
async def released(request: web.Request) -> web.Response:
    """`sentry-cli releases new` and `finalize`: that a release is out marks it as deployed."""
    body = await _body(request)
    version = request.match_info.get("version") or _field(body, "version")
    if isinstance(body, dict) and body.get("dateReleased"):
        names = [request.match_info["project"]] if "project" in request.match_info else []
        names += releases.named(body)
        await _mark(request, version, "", releases.moment(body, "dateReleased"), names)
    return _json(releases.release(version), 201 if request.method == "POST" else 200)


@routes.post(_ORGANISATION + "/releases/{version}/deploys/")
async def deployed(request: web.Request) -> web.Response:
    """`sentry-cli deploys new` (or `releases deploys VERSION new`).

    Of no project by name it is of those that the release is out in, or of the only one there is.
    """
    context, body = request.app[CONTEXT], await _body(request)
    version, environment = request.match_info["version"], _field(body, "environment")
    at = releases.moment(body, "dateFinished")
    names = releases.named(body) or await asyncio.to_thread(context.marked, version)
    every = context.projects().all
    if not names and len(every) == 1:
        names = [every[0].id]
    if not names:
        raise UploadError(400, "--project: name the projects that the release is deployed in")
    await _mark(request, version, environment, at, names)
    return _json(releases.deploy(environment, at), 201)


async def _mark(
    request: web.Request, version: str, environment: str, at: datetime, names: Sequence[str]
) -> None:
    context = request.app[CONTEXT]
    if len(version) > _LONGEST:
        raise UploadError(400, f"a release may have {_LONGEST} characters, not {len(version)}")
    for one in dict.fromkeys(project_id(context.projects(), name) for name in names):
        try:
            await asyncio.to_thread(context.mark, one, version, environment, at)
        except UnavailableError as error:
            raise UploadError(503, str(error)) from error


def project_id(projects: Projects, name: str) -> str:
    """The id of a project, given its id or its name."""
    by_id = projects.by_id(name)
    found = [by_id] if by_id else [one for one in projects.all if one.name == name]
    if len(found) == 1:
        return found[0].id
    known = ", ".join(f"{one.id} ({one.name})" for one in projects.all[:20]) or "none"
    several = (
        f"{len(found)} projects have that name"
        if found
        else "there is no such project in projects.yaml"
    )
    # 400, because sentry-cli does not show what a 404 says.
    raise UploadError(400, f"--project {name[:100]!r}: {several}; there are: {known}")


async def _body(request: web.Request) -> Any:
    try:
        return orjson.loads(await request.read())
    except ValueError as error:
        raise UploadError(400, f"the request is no JSON: {str(error)[:200]}") from error


def _field(body: Any, name: str) -> str:
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise UploadError(400, f"{name}: a text of up to {_LONGEST} characters is needed")
    return value


def _mistakes(error: ValidationError) -> str:
    mistakes = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        f"{'.'.join(map(str, one['loc'])) or 'the request'}: {one['msg']}" for one in mistakes[:5]
    )


def _known(token: str) -> Middleware:
    """Let in who knows the token, and nobody else anywhere."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
        right = hmac.compare_digest(sent.strip().encode("utf-8", "surrogateescape"), token.encode())
        if request.path != ALIVE and not (right and scheme.lower() == "bearer"):
            raise UploadError(
                401,
                (
                    "the token is not the one that CATCHWATER_MAPS_TOKEN is set to: see "
                    "SENTRY_AUTH_TOKEN"
                ),
            )
        return await handler(request)

    return middleware


@web.middleware
async def _plainly(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal as sentry-cli shows it."""
    try:
        return await handler(request)
    except UploadError as error:
        log.warning("refused", path=request.path[:300], status=error.status, why=str(error))
        return _json({"detail": str(error)}, error.status)
    except web.HTTPRequestEntityTooLarge:
        return _json({"detail": f"a request of this kind may have {BODY:,} bytes"}, 413)
    except web.HTTPException as error:
        detail = (
            f"{error.reason}: {request.method} {request.path[:300]} is not among what "
            f"sentry-cli needs for maps"
        )
        return _json({"detail": detail}, error.status)
    except (UnicodeError, web.RequestPayloadError) as error:
        return _json({"detail": f"the request cannot be read: {str(error)[:200]}"}, 400)


async def _sweeping(app: web.Application) -> AsyncIterator[None]:
    async def sweep() -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            app[CONTEXT].assembler.sweep()

    sweeper = asyncio.create_task(sweep())
    yield
    sweeper.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sweeper
    await app[CONTEXT].assembler.close()


def _json(value: Any, status: int = 200) -> web.Response:
    """Of no cache on the way: the next one who asks may have no token."""
    headers = {"Cache-Control": "no-store"}
    body = orjson.dumps(value)
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)
