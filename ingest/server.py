"""The public port: who sends what where, and what each is answered."""

from __future__ import annotations

import asyncio
import functools
import time
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from catchwater import metrics, surrogates
from catchwater.errors import RefusedRequestError
from ingest import auth, envelope, listening, reports, responses, scripts
from ingest.body import Body
from ingest.refusals import REFUSALS, refusal_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from catchwater.config.projects import Project, Projects
    from ingest.admission import Admission
    from ingest.envelope import Envelope
    from ingest.in_flight import PostBytes
    from ingest.node_batchers import NodeBatchers
    from ingest.reports import Post, Sender
    from ingest.settings import Limits
    from ingest.unaccepted import UnacceptedCounts

    Handler = Callable[[web.Request], Awaitable[web.Response]]

log = structlog.get_logger()

STARTS = ("/", "/{under:.+}/")
"""Every address is answered below any path, too: a site's own server hands on /assets/cw/e/...
as it is, or cut.
"""

LARGE = 65_536
"""Bytes of items after which others are let in: reading them may have taken some milliseconds."""

_accepted = functools.cache(metrics.ACCEPTED.labels)  # looking a label up costs as much as counting


class IngestHandlers:
    """The handlers. What they need is handed in, so that each can be another one in a test."""

    def __init__(
        self,
        projects: Callable[[], Projects],
        batcher: NodeBatchers,
        unaccepted: UnacceptedCounts,
        admission: Admission,
        limits: Limits,
    ) -> None:
        self._projects = projects
        self._batcher = batcher
        self._unaccepted = unaccepted
        self._admission = admission
        self._limits = limits

    def routes(self) -> list[web.RouteDef]:
        posts = {
            "e/{key}": self.snippet_reports,
            "api/{project}/envelope": self.envelope,
            "api/{project}/envelope/": self.envelope,
            "api/{project}/store": self.store,
            "api/{project}/store/": self.store,
            "api/{project}/security": self.security,
            "api/{project}/security/": self.security,
            "r/{key}": self.browser_reports,
        }
        return [
            *(
                web.post(f"{start}{path}", self._answered(how))
                for start in STARTS
                for path, how in posts.items()
            ),
            *(web.get(f"{start}c/{{name}}.js", self.script) for start in STARTS),
            web.get("/healthz", self.health),
            web.route("*", "/{any:.*}", self.elsewhere),
        ]

    async def snippet_reports(self, request: web.Request) -> web.Response:
        project = self._project(self._projects().by_key(request.match_info["key"]), request)
        await self._document(request, project, reports.from_snippet)
        return responses.empty()

    async def browser_reports(self, request: web.Request) -> web.Response:
        project = self._projects().by_key(request.match_info["key"])
        return await self._reporting(request, project)

    async def security(self, request: web.Request) -> web.Response:
        return await self._reporting(request, self._by_sentry_key(request))

    async def envelope(self, request: web.Request) -> web.Response:
        body = self._body(request)
        if auth.sentry_key(request.query, request.headers):
            found = self._by_sentry_key(request)
        else:
            found = self._by_dsn(request, envelope.dsn_of(await body.first_line()))
        project = self._project(found, request)
        with self._held(project) as held:
            parsed = envelope.parse(await body.read(self._limits.body_bytes, held))
            post, sender = reports.Post(), self._sender(request, project)
            await self._read_items(post, sender, parsed)
            await self._store(project, post)
        return responses.sentry_ok(post.events[0].id if post.events else "")

    async def _read_items(self, post: Post, sender: Sender, parsed: Envelope) -> None:
        since = 0
        for item in parsed.items:
            reports.add_item(post, sender, parsed.event_id, item)
            since += len(item.payload)
            if since > LARGE:
                since = 0
                await asyncio.sleep(0)  # let others in

    async def store(self, request: web.Request) -> web.Response:
        project = self._project(self._by_sentry_key(request), request)
        post = await self._document(request, project, reports.from_store)
        return responses.sentry_ok(post.events[0].id)

    async def script(self, request: web.Request) -> web.Response:
        return scripts.answer(request, self._projects(), self._limits.public_url)

    async def health(self, _request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def elsewhere(self, request: web.Request) -> web.Response:
        """A preflight, for any address; else there is nothing here, and why is said."""
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=responses.PREFLIGHT)
        return responses.problem(404, f"there is nothing at {request.method} {request.path[:200]}")

    # -- steps
    #  --------------------------------------------------------------------------------------------

    async def _reporting(self, request: web.Request, found: Project | None) -> web.Response:
        if (
            found is not None and found.disabled
        ):  # the one answer that makes a browser forget the address
            raise RefusedRequestError(
                "disabled", responses.problem(410, "this project takes no more reports")
            )
        project = self._project(found, request)
        await self._document(request, project, reports.from_reporting)
        return responses.empty()

    async def _document(
        self, request: web.Request, project: Project, read: Callable[[Sender, bytes], Post]
    ) -> Post:
        """Take a post whose body is one JSON document."""
        with self._held(project) as held:
            most = min(self._limits.body_bytes, reports.POST_BYTES)
            body = await self._body(request).read(most, held)
            post = read(self._sender(request, project), bytes(body))
            await self._store(project, post)
        return post

    def _by_sentry_key(self, request: web.Request) -> Project | None:
        key = auth.sentry_key(request.query, request.headers)
        if not key:
            raise RefusedRequestError(
                "no_key",
                responses.problem(401, "no key: put sentry_key into the query, or use the DSN"),
            )
        project = self._projects().by_key(key)
        return project if project and project.id == request.match_info["project"] else None

    def _by_dsn(self, request: web.Request, dsn: str) -> Project | None:
        key, number = auth.dsn_key(dsn)
        if not key:
            raise RefusedRequestError(
                "no_key",
                responses.problem(401, "no key: neither in the query, nor in a header, nor a dsn"),
            )
        project = self._projects().by_key(key)
        wanted = request.match_info["project"]
        return project if project and project.id == number == wanted else None

    def _project(self, project: Project | None, request: web.Request) -> Project:
        """The project, if it may send just now.

        Raises RefusedRequestError; nothing of the body has been read.
        """
        if project is None:
            raise RefusedRequestError(
                "key", responses.problem(403, "there is no such project, or the key is not its key")
            )
        if project.disabled:
            raise RefusedRequestError(
                "disabled", responses.problem(403, "this project takes no more reports")
            )
        if not auth.origin_allowed(request.headers.get("Origin", ""), project.origins):
            raise RefusedRequestError(
                "origin",
                responses.problem(403, "pages of this origin may not send to this project"),
            )
        if refusal := self._admission.refusal(project, alone=self._is_alone()):
            raise RefusedRequestError(refusal.reason, responses.refused(refusal))
        return project

    def _is_alone(self) -> bool:
        """Whether there is one project only, which then may have all of everything."""
        return len(self._projects().all) == 1

    def _held(self, project: Project) -> PostBytes:
        return self._admission.held(project, alone=self._is_alone())

    def _body(self, request: web.Request) -> Body:
        return Body(request, self._limits.body_seconds)

    def _sender(self, request: web.Request, project: Project) -> Sender:
        headers = request.headers
        address = self._limits.proxies.client(headers, request.remote or "")
        user_agent, origin = headers.get("User-Agent", "")[:512], headers.get("Origin", "")[:256]
        return reports.Sender(
            project.id,
            surrogates.replaced(user_agent),
            surrogates.replaced(origin),
            surrogates.replaced(address[:64]),
            self._limits.event_bytes,
        )

    async def _store(self, project: Project, post: Post) -> None:
        """Redis, or the spool, has every event when this returns."""
        if post.events:
            await self._admission.pay(project, post.events)
            await self._batcher.add(post.events)
            for event in post.events:
                _accepted(event.kind).inc()
        for kind in post.skipped:
            metrics.SKIPPED.labels(kind if kind in envelope.KNOWN_ITEMS else "other").inc()
        for report in post.client_reports:
            self._unaccepted.client(report)

    def _answered(self, handler: Handler) -> Handler:
        """`handler`, whose every way out is an answer."""

        async def answered(request: web.Request) -> web.Response:
            started = time.perf_counter()
            try:
                answer = await handler(request)
            except tuple(REFUSALS) as error:
                answer, reason = refusal_of(error)
                self._unaccepted.refused(reason)
            metrics.POST_SECONDS.observe(time.perf_counter() - started)
            return answer

        return answered


def application(front: IngestHandlers, limits: Limits) -> web.Application:
    app = web.Application(client_max_size=limits.body_bytes)
    app.add_routes(front.routes())
    app[listening.CLOSING] = asyncio.Event()
    app.on_response_prepare.append(listening.close_after_answer)
    return app
