"""The pages: what people look at. Each works without JavaScript; with it, they keep themselves up to date."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from catchwater import addresses
from dashboard import assets, charts, moments, query, stacks, views
from dashboard.answers import tagged
from dashboard.api import missing
from dashboard.board import Board, board_of
from dashboard.details import detail
from dashboard.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from catchwater.event import Json

routes = web.RouteTableDef()

SINCE = {"": "any time", "1h": "the last hour", "24h": "the last 24 hours", "7d": "the last 7 days", "30d": "30 days"}


@routes.get("/")
async def issues(request: web.Request) -> web.Response:
    board, at = board_of(request), moments.now()
    asked = query.parse(request.query, at)
    found, projects = await asyncio.gather(views.issues(board.store, asked, at), _project_names(board))
    data = {**found, "projects": projects, "hour": moments.iso(moments.hour_of(at))}
    data["declared"] = [
        [project.name, f"{addresses.of_project(project, board.ingest_url)}/c/{project.key}.js"]
        for project in board.names.projects()
        if not project.disabled
    ]
    given = {name: value for name, value in request.query.items() if name in ("q", "project", "since", "sort", "limit")}
    asking = {"asked": asked, "given": given, "since": SINCE, "filtered": _filtered(asked), "board": board}
    return _page(request, "issues.html", data, lambda: asking | {"charts": _small_charts(found["issues"], at)})


@routes.get("/issues/{id}")
async def issue(request: web.Request) -> web.Response:
    at = moments.now()
    found = await views.issue(board_of(request).store, request.match_info["id"], at)
    if found is None:
        raise missing("issue", request)
    names = board_of(request).names.by_id()
    name = names.get(found["project"], found["project"])
    data = {"issue": found, "project_name": name, "hour": moments.iso(moments.hour_of(at))}
    thrown = stacks.chain(found["newest"])
    return _page(
        request, "issue.html", data, lambda: {"hours": _hours(found, at), "days": _days(found, at), "thrown": thrown}
    )


@routes.get("/events/{id}")
async def event(request: web.Request) -> web.Response:
    found = await views.sample(board_of(request).store, request.match_info["id"])
    if found is None:
        raise missing("event", request)
    thrown = stacks.chain(found["event"])
    return _page(request, "event.html", found, lambda: {"detail": detail(found["event"]), "thrown": thrown})


@routes.get("/pipeline")
async def pipeline(request: web.Request) -> web.Response:
    reading = await board_of(request).gauge.reading()
    return _page(request, "pipeline.html", {"pipeline": reading.json}, lambda: {"verdict": verdict(reading.json)})


@routes.get("/healthz")
async def healthz(_request: web.Request) -> web.Response:
    return web.Response(text="alive\n")


routes.get("/static/{name}")(assets.serve)


def _page(request: web.Request, template: str, data: Json, context: Callable[[], Json]) -> web.Response:
    """The page of `data`, not made again for who has it already. `context` must follow from `data` and the address."""

    def make() -> web.Response:
        text = board_of(request).renderer.page(template, **data, **context())
        return web.Response(body=text.encode("utf-8", "replace"), content_type="text/html", charset="utf-8")

    return tagged(request, orjson.dumps([assets.VERSION, data]), make)


async def _project_names(board: Board) -> dict[str, str]:
    names = board.names.by_id()
    return names | {one: one for one in await board.store.project_ids() if one not in names}


def _filtered(asked: query.IssueQuery) -> bool:
    return bool(asked.q or asked.project or asked.since or asked.cursor)


def _small_charts(issues: list[Json], at: datetime) -> dict[str, charts.Chart]:
    return {one["id"]: _hours(one, at) for one in issues}


def _hours(issue: Json, at: datetime) -> charts.Chart:
    return charts.chart(issue["hours"], views.window(at), moments.HOUR, "%H:00 UTC", "24 hours")


def _days(issue: Json, at: datetime) -> charts.Chart:
    first = views.window(at, views.DAYS * views.HOURS)
    return charts.chart(issue["days"], first, moments.DAY, "24 h from %d %b, %H:00 UTC", f"{views.DAYS} days")
