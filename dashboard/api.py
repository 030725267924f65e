"""The JSON API.

Every answer is an object or a list; every failure is `{error: "..."}`.
"""

from __future__ import annotations

from aiohttp import web

from dashboard import query, times, views
from dashboard.cached_responses import json
from dashboard.context import app_context, pipeline_json, pipeline_reading

routes = web.RouteTableDef()


@routes.get("/api/projects")
async def projects(request: web.Request) -> web.Response:
    context = app_context(request)
    return json(request, await views.projects(context.store, context.names.by_id(), times.now()))


@routes.get("/api/issues")
async def issues(request: web.Request) -> web.Response:
    at = times.now()
    asked = query.parse(request.query, at)
    return json(request, await views.issues(app_context(request).store, asked, at))


@routes.get("/api/issues/{id}")
async def issue(request: web.Request) -> web.Response:
    found = await views.issue(app_context(request).store, request.match_info["id"], times.now())
    if found is None:
        raise missing("issue", request)
    return json(request, found)


@routes.get("/api/events/{id}")
async def event(request: web.Request) -> web.Response:
    found = await views.event(app_context(request).store, request.match_info["id"])
    if found is None:
        raise missing("event", request)
    return json(request, found)


@routes.get("/api/pipeline")
async def pipeline(request: web.Request) -> web.Response:
    return json(request, pipeline_json(await pipeline_reading(request)))


def missing(what: str, request: web.Request) -> web.HTTPNotFound:
    """No such issue or sample: say which, and why that may be."""
    identity = request.match_info["id"][:100]
    why = {
        "issue": "it may have been unseen for longer than issues are stored",
        "event": (
            "every event is counted, but only some are stored as samples, and those for a "
            "limited time"
        ),
    }[what]
    return web.HTTPNotFound(text=f"There is no {what} {identity!r}: {why}.")
