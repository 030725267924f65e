"""Responses with an ETag: a page that polls every second costs nearly nothing while nothing
changes.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

COMPRESSED = 2_000
"""Bytes from which on an answer is compressed."""

_CACHED = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}


def json(request: web.Request, data: Any) -> web.Response:
    body = orjson.dumps(data)
    return tagged(request, body, lambda: web.Response(body=body, content_type="application/json"))


def tagged(request: web.Request, content: bytes, make: Callable[[], web.Response]) -> web.Response:
    """The answer that `make` makes, or 304 if the client has the one with this content."""
    etag = blake2b(content, digest_size=12).hexdigest()
    if any(known.value in (etag, "*") for known in request.if_none_match or ()):
        response = web.Response(status=304)
    else:
        response = make()
        if response.body is not None and len(response.text or "") > COMPRESSED:
            response.enable_compression()
    response.etag = etag
    response.headers.update(_CACHED)
    return response


def wants_json(request: web.Request) -> bool:
    """Whether a failure is told to a program: who asks for the JSON API, or for Markdown and not
    in a browser.
    """
    path = request.path
    markdown = path.endswith(".md") and "text/html" not in request.headers.get("Accept", "")
    return path == "/api" or path.startswith("/api/") or markdown
