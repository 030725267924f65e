"""What the handlers share: the store, the pipeline's state, the names of projects, the
templates.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aiohttp import web

from catchwater.instants import iso
from dashboard.viewer import VIEWER

if TYPE_CHECKING:
    from catchwater.event import Json
    from catchwater.monitoring.poller import PipelinePoller, Reading
    from dashboard.project_gauges import ProjectGauges
    from dashboard.project_names import ProjectNames
    from dashboard.reader import MongoReader
    from dashboard.rendering import Renderer
    from dashboard.stored_counts import StoredCounts


@dataclass(frozen=True, slots=True)
class AppContext:
    """`ingest_url` is where browsers reach ingest, `demo_url` a page that throws errors, or '':
    both are only shown, to newcomers.
    """

    store: MongoReader
    stored_counts: StoredCounts
    poller: PipelinePoller
    gauges: ProjectGauges
    names: ProjectNames
    renderer: Renderer
    ingest_url: str
    demo_url: str = ""

    def of_project(self, project: str) -> AppContext:
        """The same for somebody who may see this project only."""
        return replace(
            self, store=self.store.of_project(project), names=self.names.of_project(project)
        )


CONTEXT = web.AppKey("context", AppContext)


def app_context(request: web.Request) -> AppContext:
    """What the handler of a request works with: nothing in it has more than its viewer may see."""
    context, project = request.app[CONTEXT], request[VIEWER].project
    return context.of_project(project) if project else context


def renderer(request: web.Request) -> Renderer:
    """For pages that are shown to anybody, too."""
    return request.app[CONTEXT].renderer


async def pipeline_reading(request: web.Request) -> Reading:
    """The pipeline now. Raises UnavailableError when Redis is away, and HTTPForbidden."""
    if project := request[VIEWER].project:
        raise web.HTTPForbidden(
            text=f"The pipeline is that of all projects, and this token is for project {project} "
            "only: use one that was made without --project."
        )
    return await asyncio.to_thread(app_context(request).poller.reading)


def pipeline_json(reading: Reading) -> Json:
    """`GET /api/pipeline`: the pipeline, and when it was read."""
    return reading.as_json() | {"taken": iso(reading.taken)}
