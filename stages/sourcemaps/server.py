"""What sentry-cli talks to when it uploads source maps: three addresses of Sentry's API, and nothing else of it.

It asks what it may send, says which chunks make up its bundle, sends those that are missing, and says it again. Seen
from sentry-cli 3.8.0. Chunks wait in this process's own folder, so one process serves an upload from end to end.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from aiohttp import BodyPartReader, web

from catchwater.connection import Unavailable
from stages.sourcemaps.bundle import NoBundle, pieces_in
from stages.sourcemaps.chunks import SIZE, Full, Wrong, is_name
from stages.sourcemaps.keeping import keep

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp import MultipartReader
    from aiohttp.typedefs import Middleware

    from stages.sourcemaps.chunks import Chunks
    from stages.sourcemaps.store import Store

log = structlog.get_logger()

A_REQUEST = 32 * 2**20
"""Bytes of a request of chunks."""

MOST_CHUNKS = 64
"""Chunks of a bundle, and of a request: 512 MB and 32 MB."""

_API = "/api/0/organizations/{organization}"


@dataclass(frozen=True, slots=True)
class Uploads:
    """Takes uploads of those who know the token. `projects` gives ids and names, by id."""

    token: str
    store: Store
    chunks: Chunks
    projects: Callable[[], Mapping[str, str]]

    async def capabilities(self, request: web.Request) -> web.Response:
        return _answer({
            "url": str(request.url.with_query(None)),
            "chunkSize": SIZE,
            "chunksPerRequest": MOST_CHUNKS,
            "maxFileSize": SIZE * MOST_CHUNKS,
            "maxRequestSize": A_REQUEST,
            "concurrency": 1,
            "hashAlgorithm": "sha1",
            "compression": ["gzip"],
            "accept": ["release_files", "sources", "artifact_bundles", "artifact_bundles_v2"],
        })  # fmt: skip

    async def take_chunks(self, request: web.Request) -> web.Response:
        if not request.content_type.startswith("multipart/"):
            raise Wrong("chunks come as multipart/form-data")
        async for part in await request.multipart():
            await self._take(part)
        return _answer([])

    async def assemble(self, request: web.Request) -> web.Response:
        checksum, names, asked, release = _asked(await request.read())
        projects = [self._project(one) for one in asked]
        if missing := self.chunks.missing(names):
            return _answer({"state": "not_found", "missingChunks": missing})
        state, detail = await asyncio.to_thread(self._kept, checksum, names, projects, release)
        return _answer({"state": state, "missingChunks": [], "detail": detail})

    async def _take(self, part: BodyPartReader | MultipartReader | None) -> None:
        if not isinstance(part, BodyPartReader) or part.name not in {"file", "file_gzip"}:
            raise Wrong("each part is a chunk, called file or file_gzip")
        data = bytearray()
        while piece := await part.read_chunk(2**16):
            data += piece
            if len(data) > SIZE + 2**16:
                raise Wrong(f"a chunk has more than {SIZE:,} bytes")
        packed = part.name == "file_gzip"
        await asyncio.to_thread(self.chunks.keep, part.filename or "", bytes(data), packed=packed)

    def _project(self, asked: str) -> str:
        known = self.projects()
        if asked in known:
            return asked
        by_name = [one for one, name in known.items() if name == asked]
        if len(by_name) == 1:
            return by_name[0]
        raise Wrong(f"there is no project {asked[:100]!r}: --project is an id or a name in projects.yaml")

    def _kept(self, checksum: str, names: list[str], projects: list[str], release: str) -> tuple[str, str | None]:
        """Keep the maps of a bundle for each of the projects: the state and what is wrong, as sentry-cli shows them."""
        bundle = self.chunks.joined(names, checksum)
        counts: Counter[str] = Counter()
        troubles: list[str] = []
        try:
            for piece in pieces_in(bundle):
                for project in projects:
                    outcome, told = keep(self.store, project, release, "~/", piece)
                    log.info(outcome, project=project, release=release, file=piece.file[:300], what=told)
                    counts[outcome] += 1
                    if outcome == "refused":
                        troubles.append(f"{piece.file[:300]}: {told}")
        except NoBundle as error:
            troubles.append(str(error))
        finally:
            bundle.unlink()
        self.chunks.forget(names)
        if not troubles and not counts["uploaded"] + counts["there"]:
            troubles.append("there was no source map in it")
        return ("error", "; ".join(troubles[:10])) if troubles else ("ok", None)


def application(uploads: Uploads) -> web.Application:
    app = web.Application(client_max_size=A_REQUEST + 2**20, middlewares=[_guarded(uploads.token)])
    app.add_routes([
        web.get("/healthz", _alive),
        web.get(f"{_API}/chunk-upload/", uploads.capabilities),
        web.post(f"{_API}/chunk-upload/", uploads.take_chunks),
        web.post(f"{_API}/artifactbundle/assemble/", uploads.assemble),
    ])  # fmt: skip
    return app


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _guarded(token: str) -> Middleware:
    """Asks for the token, and tells what went wrong as sentry-cli can show it: `{"detail": ...}`."""

    @web.middleware
    async def guard(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
        if request.path != "/healthz" and not _knows(token, request.headers.get("Authorization", "")):
            return _answer({"detail": "wrong or no token: SENTRY_AUTH_TOKEN must be CATCHWATER_MAPS_TOKEN"}, 401)
        try:
            return await handler(request)
        except Wrong as error:
            return _answer({"detail": str(error)}, 400)
        except Full as error:
            return _answer({"detail": str(error)}, 507)
        except Unavailable as error:
            return _answer({"detail": str(error)}, 503)
        except web.HTTPException as error:
            return _answer({"detail": _said(error)}, error.status)

    return guard


def _said(error: web.HTTPException) -> str:
    if error.status == 404 and error.text == "404: Not Found":
        return "Catchwater takes `sentry-cli sourcemaps upload` and nothing else of Sentry's API"
    return error.text or error.reason


def _knows(token: str, header: str) -> bool:
    return hmac.compare_digest(header.encode(), f"Bearer {token}".encode())


def _asked(body: bytes) -> tuple[str, list[str], list[str], str]:
    """Checksum, chunks, projects and release of an assembly. Raises Wrong."""
    try:
        told = orjson.loads(body)
    except ValueError as error:
        raise Wrong(f"this is no JSON: {error}") from error
    if not isinstance(told, dict):
        raise Wrong("an object is needed")
    checksum, names, projects, release = (told.get(name) for name in ("checksum", "chunks", "projects", "version"))
    if not is_name(checksum) or not isinstance(names, list) or not names or not all(map(is_name, names)):
        raise Wrong("`checksum` and `chunks` are SHA-1 in hexadecimal")
    if len(names) > MOST_CHUNKS:
        raise Wrong(f"{len(names)} chunks are more than {MOST_CHUNKS}: {SIZE * MOST_CHUNKS:,} bytes are the most")
    if not isinstance(projects, list) or not projects or not all(isinstance(one, str) for one in projects[:20]):
        raise Wrong("`projects` is a list of names: sentry-cli has --project for it")
    return str(checksum), names, projects[:20], release[:200] if isinstance(release, str) else ""


def _answer(told: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(told), status=status, content_type="application/json")
