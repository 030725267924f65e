"""Every way a post can be refused: its status, and the reason that is counted."""

from __future__ import annotations

from aiohttp import web

from catchwater import errors
from ingest import responses
from ingest.refusal import OVER_LIMIT_WAIT_S, Refusal

REFUSALS: dict[type[Exception], tuple[int, str]] = {
    errors.RefusedRequestError: (0, ""),
    errors.MalformedEnvelopeError: (400, "malformed"),
    errors.InvalidReportError: (400, "malformed"),
    errors.ContentEncodingError: (400, "encoding"),
    errors.BodyTooLargeError: (413, "too_large"),
    errors.EventTooLargeError: (413, "too_large"),
    web.HTTPRequestEntityTooLarge: (413, "too_large"),
    web.RequestPayloadError: (400, "broken_off"),
    ConnectionResetError: (400, "broken_off"),
    errors.SpoolFullError: (503, "spool_full"),
    errors.NotStoredError: (503, "redis_refuses"),
}


def refusal_of(error: Exception) -> tuple[web.Response, str]:
    if isinstance(error, errors.RefusedRequestError):
        return error.answer, error.reason
    status, reason = next(REFUSALS[kind] for kind in REFUSALS if isinstance(error, kind))
    if status == 503:
        return responses.refused(
            Refusal(503, reason, OVER_LIMIT_WAIT_S, "no room: come again later")
        ), reason
    return responses.problem(status, str(error) or reason), reason
