"""Every way a post can be refused: its status, and the reason that is counted."""

from __future__ import annotations

from aiohttp import web

from ingest import admission, answers, body, envelope, reports
from ingest.spool import SpoolFull


class Refuse(Exception):  # noqa: N818 - a way out with an answer
    """Ends a request with `answer`; its reason is counted."""

    def __init__(self, reason: str, answer: web.Response) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answer = answer


REFUSALS: dict[type[Exception], tuple[int, str]] = {
    Refuse: (0, ""),
    envelope.Malformed: (400, "malformed"),
    reports.NotReports: (400, "malformed"),
    body.NotUnpackable: (400, "encoding"),
    body.TooLarge: (413, "too_large"),
    reports.EventTooLarge: (413, "too_large"),
    web.HTTPRequestEntityTooLarge: (413, "too_large"),
    web.RequestPayloadError: (400, "broken_off"),
    ConnectionResetError: (400, "broken_off"),
    SpoolFull: (503, "spool_full"),
}


def refusal_of(error: Exception) -> tuple[web.Response, str]:
    if isinstance(error, Refuse):
        return error.answer, error.reason
    status, reason = next(REFUSALS[kind] for kind in REFUSALS if isinstance(error, kind))
    if status == 503:
        return answers.refused(
            admission.Refusal(503, reason, admission.OVER_LIMIT_WAIT, "no room: come again later")
        ), reason
    return answers.problem(status, str(error) or reason), reason
