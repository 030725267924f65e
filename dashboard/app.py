"""The dashboard's web application: routes, middlewares, and what starts and stops with it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from aiohttp import web

from dashboard import api, login, openapi, pages
from dashboard.context import CONTEXT, AppContext
from dashboard.failures import failures

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dashboard.security import Guard


def application(context: AppContext, guard: Guard) -> web.Application:
    app = web.Application(middlewares=[failures, login.guarded(guard)], client_max_size=1024)
    app[CONTEXT] = context
    app.add_routes(api.routes)
    app.add_routes(pages.routes)
    app.add_routes(login.routes(guard))
    app[openapi.DESCRIPTION] = openapi.document(
        app.router, password=guard.password != "", tokens=bool(guard.tokens)
    )
    context.renderer.show_log_out(shown=guard.password != "")
    app.cleanup_ctx.append(_polling)
    return app


async def _polling(app: web.Application) -> AsyncIterator[None]:
    """Read the pipeline and figures of projects, for Prometheus too, while the application runs."""
    context = app[CONTEXT]
    with closing(context.stored_counts), context.poller, context.gauges:
        yield
    await context.store.close()
