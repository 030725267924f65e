"""The JSON API.

Every answer is an object or a list; every failure is `{error: "..."}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from catchwater.issues.search import short
from dashboard import answers, parameters, query, times, views
from dashboard.cached_responses import json
from dashboard.context import app_context, pipeline_json, pipeline_reading
from dashboard.openapi import DESCRIPTION, operation

if TYPE_CHECKING:
    from catchwater.event import Json

routes = web.RouteTableDef()


@routes.get("/api/projects")
@operation("All projects.", answers.Project, listed=True)
async def projects(request: web.Request) -> web.Response:
    context = app_context(request)
    return json(request, await views.projects(context.store, context.names.by_id(), times.now()))


@routes.get("/api/issues")
@operation("Issues, a page at a time.", answers.Issues, *parameters.ISSUES)
async def issues(request: web.Request) -> web.Response:
    at = times.now()
    asked = query.parse(request.query, at)
    return json(request, await views.issues(app_context(request).store, asked, at))


@routes.get("/api/issues/{id}")
@operation("One issue.", answers.WholeIssue, parameters.ISSUE, parameters.SPAN_OF_ONE)
async def issue(request: web.Request) -> web.Response:
    identity, span = request.match_info["id"], query.span(request.query, "14d")
    found = await views.issue(app_context(request).store, identity, times.now(), span)
    if found is None:
        raise missing("issue", request)
    return json(request, found)


@routes.get("/api/releases")
@operation("Releases.", answers.Releases, parameters.PROJECT)
async def releases(request: web.Request) -> web.Response:
    project = short("project", request.query.get("project", ""))
    wanted = {"project": project} if project else {}
    return json(request, {"releases": await app_context(request).store.releases(wanted)})


@routes.get("/api/releases/{project}/{id:.+}")
@operation("One release.", answers.WholeRelease, *parameters.RELEASE)
async def release(request: web.Request) -> web.Response:
    return json(request, await release_of(request))


async def release_of(request: web.Request) -> Json:
    """The release that the address names. Raises HTTPNotFound."""
    project, name = request.match_info["project"], request.match_info["id"]
    found = await views.release(app_context(request).store, project, name, times.now())
    if found is None:
        raise missing("release", request)
    return found


@routes.get("/api/events/{id}")
@operation("One stored event.", answers.Event, parameters.EVENT)
async def event(request: web.Request) -> web.Response:
    found = await views.event(app_context(request).store, request.match_info["id"])
    if found is None:
        raise missing("event", request)
    return json(request, found)


@routes.get("/api/pipeline")
@operation("The pipeline, and its audit.", answers.Pipeline)
async def pipeline(request: web.Request) -> web.Response:
    return json(request, pipeline_json(await pipeline_reading(request)))


@routes.get("/api/openapi.json")
@operation("This description.", None)
async def description(request: web.Request) -> web.Response:
    return json(request, request.app[DESCRIPTION])


def missing(what: str, request: web.Request) -> web.HTTPNotFound:
    """No such issue or sample: say which, and why that may be."""
    identity = request.match_info["id"][:100]
    why = {
        "issue": "it may have been unseen for longer than issues are stored",
        "release": "no event of it was seen in that project, or none for a long time",
        "event": (
            "every event is counted, but only some are stored as samples, and those for a "
            "limited time"
        ),
    }[what]
    return web.HTTPNotFound(text=f"There is no {what} {identity!r}: {why}.")
