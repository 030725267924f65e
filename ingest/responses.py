"""The responses of ingest. Each carries CORS headers, errors too: a browser hides a response
without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from aiohttp import web

if TYPE_CHECKING:
    from ingest.refusal import Refusal

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "x-sentry-error, x-sentry-rate-limits, retry-after",
    "Cross-Origin-Resource-Policy": "cross-origin",
}

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "x-sentry-auth, x-requested-with, x-forwarded-for, origin, "
    "referer, accept, "
    "content-type, authentication, authorization, content-encoding, transfer-encoding, "
    "sentry-trace, baggage",
    "Access-Control-Max-Age": "3600",
}

NOT_STORED = (
    "transaction;span;session;replay;profile;log_item;trace_metric;monitor;feedback;attachment"
)
NOTICE = {"X-Sentry-Rate-Limits": f"86400:{NOT_STORED}:organization"}
"""Asks Sentry's SDKs not to send, for a day, what is not stored."""


def sentry_ok(event_id: str) -> web.Response:
    body = b'{"id":"%s"}' % event_id.encode() if event_id else b"{}"
    return web.Response(body=body, content_type="application/json", headers=NOTICE)


def empty() -> web.Response:
    return web.Response(status=204)


def problem(status: int, text: str) -> web.Response:
    """An error: what is wrong, for the person who looks at the browser's console.

    Never more than a sentence, whatever of the request it repeats.
    """
    text = text[:200]
    headers = {
        "X-Sentry-Error": "".join(c if " " <= c <= "~" else "?" for c in text),
        "Cache-Control": "no-store",  # what is wrong now may be right when the next one asks
    }
    return web.Response(
        status=status,
        body=orjson.dumps({"error": text}),
        content_type="application/json",
        headers=headers,
    )


def refused(refusal: Refusal) -> web.Response:
    """Not now. Browsers with Sentry's SDK stay away from errors only, for that long."""
    answer = problem(refusal.status, refusal.text)
    answer.headers["Retry-After"] = str(refusal.retry_after)
    answer.headers["X-Sentry-Rate-Limits"] = (
        f"{refusal.retry_after}:error;default:project, {NOTICE['X-Sentry-Rate-Limits']}"
    )
    return answer
