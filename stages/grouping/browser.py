"""What browsers report by themselves: the Reporting API, and content security policy's older
form.
"""

from __future__ import annotations

import re
from typing import Any

from stages.grouping import fields, stacks
from stages.grouping.fields import FieldReader, mapping, whole
from stages.grouping.files import steady
from stages.grouping.frames import Frame, make
from stages.grouping.functions import telling
from stages.grouping.parsed_event import ExceptionInfo, ParsedEvent

_NAMES = {"deprecation": "Deprecation", "intervention": "Intervention", "crash": "Crash"}


def read(report: dict[str, Any]) -> ParsedEvent:
    """The details of one Reporting API report, or of a `csp-report` object. Never raises."""
    if "csp-report" in report:
        return _csp(FieldReader(), report, mapping(report["csp-report"]))
    take = FieldReader()
    kind, body = take.text(report.get("type"), "type", 50), mapping(report.get("body"))
    if kind in ("csp-violation", "csp"):  # drafts of the Reporting API said `csp`
        return _csp(take, report, body)
    return _other(take, report, kind or "report", body)


def _csp(take: FieldReader, report: dict[str, Any], body: dict[str, Any]) -> ParsedEvent:
    directive = _directive(take, body)
    blocked = take.text(
        _first(body, "blockedURL", "blocked-uri", "blockedURI"), "blocked", fields.TEXT
    )
    where = "inline" if blocked in _OLD_INLINE else blocked_origin(blocked)
    message = f"{directive} blocked {'an inline resource' if where == 'inline' else where}"
    details = _details(
        take, report, "csp-violation", ExceptionInfo("CSPViolation", message, _frames(take, body))
    )
    details.parts = [_newest(directive, where), where]
    details.page = (
        take.text(_first(body, "documentURL", "document-uri", "documentURI"), "page", fields.TEXT)
        or details.page
    )
    details.referrer = take.text(body.get("referrer"), "referrer", fields.TEXT)
    is_trial = body.get("disposition") == "report"
    details.level = "warning" if is_trial else "error"
    details.extra = take.tree(
        {key: value for key, value in body.items() if key not in _TOLD}, "extra"
    )
    return details


_OLD_INLINE = ("", "self")
"""What CSP 1 and 2 call code that stands in the page."""


def _newest(directive: str, where: str) -> str:
    """The directive as CSP 3 names it: a script or style that has an address is an element's."""
    of_element = directive in ("script-src", "style-src") and "://" in where
    return f"{directive}-elem" if of_element else directive


_TOLD = frozenset(
    {
        "documentURL",
        "document-uri",
        "referrer",
        "lineNumber",
        "line-number",
        "columnNumber",
        "column-number",
    }
)


def _directive(take: FieldReader, body: dict[str, Any]) -> str:
    effective = take.text(_first(body, "effectiveDirective", "effective-directive"), "directive")
    violated = take.text(_first(body, "violatedDirective", "violated-directive"), "directive")
    return (effective or violated).partition(" ")[0] or "unknown-directive"


_END_OF_HOST = re.compile("[/?#]")
_USUAL_PORT = {"https": ":443", "wss": ":443", "http": ":80", "ws": ":80"}


def blocked_origin(blocked: str) -> str:
    """`https://e1.example:443/x.js?1` is `https://e1.example`; words such as `inline`, `eval`,
    `data` stay, and `blob:https://e1.example/1` is `blob`.
    """
    scheme, found, rest = blocked.partition("://")
    if not found or ":" in scheme:
        return blocked.partition(":")[0]
    if "extension" in scheme:
        return scheme
    host = _END_OF_HOST.split(rest, maxsplit=1)[0].lower()
    return f"{scheme}://{host.removesuffix(_USUAL_PORT.get(scheme, ''))}"


def _first(body: dict[str, Any], *names: str) -> Any:
    return next((body[name] for name in names if body.get(name)), None)


def _frames(take: FieldReader, body: dict[str, Any]) -> list[Frame]:
    file = take.text(_first(body, "sourceFile", "source-file"), "source", fields.TEXT)
    if not file:
        return []
    line = whole(_first(body, "lineNumber", "line-number"), 1)
    return [make("", file, line, whole(_first(body, "columnNumber", "column-number"), 1))]


def _other(
    take: FieldReader, report: dict[str, Any], kind: str, body: dict[str, Any]
) -> ParsedEvent:
    identity = take.text(_first(body, "id", "reason", "featureId", "policyId"), "id")
    message = take.text(_first(body, "message", "reason", "id"), "message", fields.MESSAGE)
    type_ = _NAMES.get(kind) or "".join(part[:1].upper() + part[1:] for part in kind.split("-"))
    stack = take.text(body.get("stack"), "stack", fields.STACK)
    frames = stacks.parse(stack) or _frames(take, body)
    what = "" if message else _what(take, body)
    thrown = ExceptionInfo(type_, message or what or identity or "no reason given", frames)
    details = _details(take, report, kind, thrown)
    details.is_error = body.get("type") != "ok" and kind not in _NO_ERRORS
    details.parts = [identity or what or ("unknown" if kind == "crash" else message)]
    details.parts += _place(kind, frames)
    details.level = "fatal" if kind == "crash" else "warning"
    details.extra = take.tree(
        {key: value for key, value in body.items() if key not in ("message", "stack")}, "extra"
    )
    return details


_NO_ERRORS = frozenset({"csp-hash"})
"""Reports of what a page has loaded. Those of what went well besides errors say `ok`."""


def _what(take: FieldReader, body: dict[str, Any]) -> str:
    """What a report without a message is about: `http.error 500`, `corp image img.example`."""
    blocked = take.text(_first(body, "blockedURL", "blockedURI"), "blocked", fields.TEXT)
    names = ("type", "phase", "destination", "policy", "effectiveDirective", "property")
    words = [take.text(body.get(name), name, 80) for name in names]
    status = whole(body.get("status_code"), 400)
    return " ".join(filter(None, [*words, str(status or ""), blocked_origin(blocked)]))


def _place(kind: str, frames: list[Frame]) -> list[str]:
    """Where it was: a crash by its innermost function, others but the browser's own by the file."""
    if not frames:
        return [""]
    frame = next((one for one in frames if one.in_app), frames[0])
    if kind == "crash":
        return [steady(frame.file), telling(frame.function)]
    return ["" if kind in _NAMES else steady(frames[0].file)]


def _details(
    take: FieldReader, report: dict[str, Any], kind: str, thrown: ExceptionInfo
) -> ParsedEvent:
    details = ParsedEvent(shape=kind, thrown=thrown, cut=take.cut, mechanism=kind, sdk="browser")
    details.page = take.text(report.get("url"), "page", fields.TEXT)
    details.user_agent = take.text(report.get("user_agent"), "user_agent", 500)
    return details
