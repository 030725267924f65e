"""The JSON API: what programs ask. Every answer is an object or a list; every failure is `{error: "..."}`."""

from __future__ import annotations

from aiohttp import web

from dashboard import moments, query, views
from dashboard.answers import json
from dashboard.board import board_of

routes = web.RouteTableDef()


@routes.get("/api/projects")
async def projects(request: web.Request) -> web.Response:
    board = board_of(request)
    return json(request, await views.projects(board.store, board.names.by_id(), moments.now()))


@routes.get("/api/issues")
async def issues(request: web.Request) -> web.Response:
    at = moments.now()
    asked = query.parse(request.query, at)
    return json(request, await views.issues(board_of(request).store, asked, at))


@routes.get("/api/issues/{id}")
async def issue(request: web.Request) -> web.Response:
    found = await views.issue(board_of(request).store, request.match_info["id"], moments.now())
    if found is None:
        raise missing("issue", request)
    return json(request, found)


@routes.get("/api/events/{id}")
async def event(request: web.Request) -> web.Response:
    found = await views.event(board_of(request).store, request.match_info["id"])
    if found is None:
        raise missing("event", request)
    return json(request, found)


@routes.get("/api/pipeline")
async def pipeline(request: web.Request) -> web.Response:
    reading = await board_of(request).gauge.reading()
    return json(request, reading.json)


def missing(what: str, request: web.Request) -> web.HTTPNotFound:
    """No such issue or sample: say which, and why that may be."""
    identity = request.match_info["id"][:100]
    why = {
        "issue": "it may have been unseen for longer than issues are kept",
        "event": "every event is counted, but only some are kept as samples, and those for a limited time",
    }[what]
    return web.HTTPNotFound(text=f"There is no {what} {identity!r}: {why}.")
