"""What goes wrong, as an answer:

`{error: "..."}` for programs, a page that says what to do for people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import structlog
from aiohttp import web

from catchwater.errors import QueryParameterError, RefusedError, UnavailableError
from dashboard.cached_responses import wants_json
from dashboard.context import renderer
from dashboard.viewer import VIEWER

if TYPE_CHECKING:
    from dashboard.security import Handler

log = structlog.get_logger()

RETRY_AFTER_S = 3
"""Seconds after which a page that could not be rendered is requested again."""

_TITLES = {
    400: "That cannot be asked",
    401: "Not logged in",
    403: "Refused",
    404: "Nothing is here",
    405: "This can only be read",
    421: "Not under this name",
    503: "Waiting for a server",
}


@web.middleware
async def failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Make an answer of whatever a handler raises.

    What nobody foresaw is logged and answered with 500.
    """
    try:
        return await handler(request)
    except QueryParameterError as error:
        return failure(request, 400, str(error))
    except (UnavailableError, RefusedError) as error:
        log.warning("a server is away", path=request.path, why=str(error))
        return failure(request, 503, _briefly(error), {"Retry-After": str(RETRY_AFTER_S)})
    except web.HTTPException as error:
        return _http(request, error)
    except ConnectionResetError:  # the client left, and nobody reads the answer
        return failure(request, 400, "The request broke off.")
    except Exception:
        log.exception("a request failed", path=request.path)
        return failure(
            request, 500, "The dashboard has a fault here. Its log says more; please report it."
        )


def failure(
    request: web.Request, status: int, why: str, headers: dict[str, str] | None = None
) -> web.Response:
    headers = {"Cache-Control": "no-store", **(headers or {})}
    if wants_json(request):
        body = orjson.dumps({"error": why})
        return web.Response(
            status=status, body=body, content_type="application/json", headers=headers
        )
    title = _TITLES.get(status, "Something is wrong")
    retry = RETRY_AFTER_S if status == 503 else 0
    name = request[VIEWER].name if VIEWER in request else ""
    page = renderer(request).page(
        "failure.html", title=title, why=why, status=status, retry=retry, signed_in=name
    )
    return web.Response(status=status, text=page, content_type="text/html", headers=headers)


def _http(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    if error.status < 400:
        raise error
    why = error.text or ""
    if why in ("", f"{error.status}: {error.reason}"):
        why = _known(request, error)
    headers = {
        name: error.headers[name]
        for name in ("Allow", "Retry-After", "WWW-Authenticate")
        if name in error.headers
    }
    return failure(request, error.status, why, headers)


def _known(request: web.Request, error: web.HTTPException) -> str:
    if error.status == 404:
        return f"There is no page {request.path!r}."
    if error.status == 405:
        return f"{request.method} is not answered here: the dashboard only shows, with GET."
    return str(error.reason)


def _briefly(error: Exception) -> str:
    """The error without the driver's picture of the whole topology."""
    return str(error).partition(", Timeout:")[0].partition(" (configured timeouts")[0][:300]
