"""The dashboard's web application: routes, what stands before them, and what lives as long as it does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import REGISTRY

from dashboard import api, pages
from dashboard.board import BOARD, Board
from dashboard.failures import failures
from dashboard.security import Guard, guarded, harden

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def application(board: Board, guard: Guard) -> web.Application:
    app = web.Application(middlewares=[failures, guarded(guard)], client_max_size=1024)
    app[BOARD] = board
    app.on_response_prepare.append(harden)
    app.add_routes(api.routes)
    app.add_routes(pages.routes)
    app.cleanup_ctx.append(_beating)
    return app


async def _beating(app: web.Application) -> AsyncIterator[None]:
    """Read the pipeline, for Prometheus too, for as long as the application runs."""
    gauge = app[BOARD].gauge
    stopping = asyncio.Event()
    beat = asyncio.create_task(gauge.run(stopping))
    REGISTRY.register(gauge)
    yield
    REGISTRY.unregister(gauge)
    stopping.set()
    await beat
    gauge.close()
    await app[BOARD].store.close()
