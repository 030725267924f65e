"""The pages.

Each works without JavaScript; with it, they update themselves.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from catchwater.instants import hour_of, iso
from catchwater.issues import markdown
from catchwater.issues.search import short
from catchwater.issues.states import STATES
from dashboard import assets, charts, parameters, query, stack_view, times, views
from dashboard.api import missing, release_of
from dashboard.cached_responses import tagged
from dashboard.context import (
    AppContext,
    app_context,
    pipeline_json,
    pipeline_reading,
    renderer,
)
from dashboard.details import detail
from dashboard.diagram import diagram
from dashboard.health_summary import summarise
from dashboard.openapi import operation
from dashboard.spans import SPANS
from dashboard.viewer import VIEWER

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from catchwater.event import Json
    from dashboard.spans import Span

routes = web.RouteTableDef()

PARAMETERS = ("q", "project", "state", "since", "sort", "limit", "span")

SMALL_MARKS = 10
"""The latest deploys that a chart in a list shows."""

SINCE = {
    "": "any time",
    "1h": "the last hour",
    "24h": "the last 24 hours",
    "7d": "the last 7 days",
    "30d": "30 days",
}


@routes.get("/")
async def issues(request: web.Request) -> web.Response:
    app, at = app_context(request), times.now()
    asked = query.parse(request.query, at)
    found, projects = await asyncio.gather(views.issues(app.store, asked, at), _project_names(app))
    data = {**found, "projects": projects, "hour": iso(hour_of(at))}
    data["declared"] = _script_tags(app)
    data["deploys"] = await views.deploys(app.store, found, asked.span.first(at))
    given = {name: value for name, value in request.query.items() if name in PARAMETERS}

    def context() -> Json:
        return {
            "asked": asked,
            "given": given,
            "since": SINCE,
            "states": STATES,
            "filtered": _filtered(asked),
            "app": app,
            "spans": SPANS,
            "charts": _small_charts(found["issues"], data["deploys"], asked.span, at),
        }

    return _page(request, "issues.html", data, context)


def _script_tags(app: AppContext) -> list[list[str]]:
    """Name and script address of each project that may send: shown while there are no issues."""
    return [
        [project.name, f"{project.ingest_url(app.ingest_url)}/c/{project.key}.js"]
        for project in app.names.projects()
        if not project.disabled
    ]


@routes.get("/issues/{id:.+}.md")
@operation("One issue, to paste.", None, parameters.ISSUE, media="text/markdown")
async def issue_as_markdown(request: web.Request) -> web.Response:
    """Before the page of an issue, whose address it would be otherwise."""
    found = await views.issue(app_context(request).store, request.match_info["id"], times.now())
    if found is None:
        raise missing("issue", request)
    body = markdown.page(found, found["newest"]).encode("utf-8", "replace")
    return tagged(
        request,
        body,
        lambda: web.Response(body=body, content_type="text/markdown", charset="utf-8"),
    )


@routes.get("/issues/{id}")
async def issue(request: web.Request) -> web.Response:
    at, span = times.now(), query.span(request.query)
    found = await views.issue(app_context(request).store, request.match_info["id"], at, span)
    if found is None:
        raise missing("issue", request)
    names = app_context(request).names.by_id()
    name = names.get(found["project"], found["project"])
    data = {"issue": found, "project_name": name, "hour": iso(hour_of(at))}

    def context() -> Json:
        drawn = charts.chart(_counts(found, span), span.axis(at), _deployed(found["deploys"]))
        thrown = stack_view.chain(found["newest"])
        return {
            "chart": drawn,
            "axis": span.axis(at),
            "span": span,
            "spans": SPANS,
            "thrown": thrown,
        }

    return _page(request, "issue.html", data, context)


@routes.get("/releases")
async def releases(request: web.Request) -> web.Response:
    app = app_context(request)
    project = short("project", request.query.get("project", ""))
    found, projects = await asyncio.gather(
        app.store.releases({"project": project} if project else {}), _project_names(app)
    )
    data = {"releases": found, "projects": projects, "project": project}
    return _page(request, "releases.html", data, dict)


@routes.get("/releases/{project}/{id:.+}")
async def release(request: web.Request) -> web.Response:
    found = await release_of(request)
    names = app_context(request).names.by_id()
    data = {"release": found, "project_name": names.get(found["project"], found["project"])}
    return _page(request, "release.html", data, dict)


@routes.get("/events/{id}")
async def event(request: web.Request) -> web.Response:
    found = await views.sample(app_context(request).store, request.match_info["id"])
    if found is None:
        raise missing("event", request)
    thrown = stack_view.chain(found["event"])
    return _page(
        request, "event.html", found, lambda: {"detail": detail(found["event"]), "thrown": thrown}
    )


@routes.get("/pipeline")
async def pipeline(request: web.Request) -> web.Response:
    reading, defs = await pipeline_reading(request), app_context(request).poller.defs
    found = pipeline_json(reading)

    def context() -> Json:
        drawn = diagram(defs, found, reading.history, reading.accepted_rate)
        return {"summary": summarise(found), "diagram": drawn}

    return _page(request, "pipeline.html", {"pipeline": found}, context)


@routes.get("/healthz")
async def healthz(_request: web.Request) -> web.Response:
    return web.Response(text="alive\n")


routes.get("/static/{name}")(assets.serve)


def _page(
    request: web.Request, template: str, data: Json, context: Callable[[], Json]
) -> web.Response:
    """The page of `data`, not made again for who has it already.

    `context` must follow from `data` and the address. Who is signed in is shown, too.
    """
    name = request[VIEWER].name

    def make() -> web.Response:
        text = renderer(request).page(template, signed_in=name, **data, **context())
        return web.Response(
            body=text.encode("utf-8", "replace"), content_type="text/html", charset="utf-8"
        )

    return tagged(request, orjson.dumps([assets.VERSION, name, data]), make)


async def _project_names(app_context: AppContext) -> dict[str, str]:
    names = app_context.names.by_id()
    return names | {one: one for one in await app_context.store.project_ids() if one not in names}


def _filtered(asked: query.IssueQuery) -> bool:
    return bool(asked.q or asked.project or asked.state or asked.since or asked.cursor)


def _small_charts(
    issues: list[Json], deploys: dict[str, list[Json]], span: Span, at: datetime
) -> dict[str, charts.Chart]:
    axis = span.axis(at)
    marks = {project: _deployed(of_it)[-SMALL_MARKS:] for project, of_it in deploys.items()}
    return {
        one["id"]: charts.chart(_counts(one, span), axis, marks[one["project"]]) for one in issues
    }


def _counts(issue: Json, span: Span) -> list[int]:
    counts: list[int] = issue["days" if span.days else "hours"]
    return counts


def _deployed(deploys: list[Json]) -> list[tuple[datetime, str]]:
    """What charts say of deploys."""
    found = [(times.parsed(one["at"] or ""), one) for one in deploys]
    return [
        (at, f"{one['release']} deployed{' to ' * bool(one['environment'])}{one['environment']}")
        for at, one in found
        if at
    ]
