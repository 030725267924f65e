"""What the handlers share: the store, the pipeline's state, the names of projects, the
templates.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from catchwater.instants import iso

if TYPE_CHECKING:
    from catchwater.event import Json
    from catchwater.monitoring.poller import PipelinePoller, Reading
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
    names: ProjectNames
    renderer: Renderer
    ingest_url: str
    demo_url: str = ""


CONTEXT = web.AppKey("context", AppContext)


def app_context(request: web.Request) -> AppContext:
    return request.app[CONTEXT]


async def pipeline_reading(request: web.Request) -> Reading:
    """The pipeline now. Raises UnavailableError when Redis is away."""
    return await asyncio.to_thread(app_context(request).poller.reading)


def pipeline_json(reading: Reading) -> Json:
    """`GET /api/pipeline`: the pipeline, and when it was read."""
    return reading.as_json() | {"taken": iso(reading.taken)}
