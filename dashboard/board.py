"""What the handlers share: the store, the pipeline's state, the names of projects, the templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from dashboard.gauge import PipelineGauge
    from dashboard.names import ProjectNames
    from dashboard.rendering import Renderer
    from dashboard.store import Store


@dataclass(frozen=True, slots=True)
class Board:
    """`ingest_url` is where browsers reach ingest, `demo_url` a page that throws errors, or '': both are only shown,
    to newcomers.
    """

    store: Store
    gauge: PipelineGauge
    names: ProjectNames
    renderer: Renderer
    ingest_url: str
    demo_url: str = ""


BOARD = web.AppKey("board", Board)


def board_of(request: web.Request) -> Board:
    return request.app[BOARD]
