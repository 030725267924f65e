"""Reads Sentry events, as @sentry/browser 5 to 11 and the other SDKs for JavaScript write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from stages.grouping import debug_ids, fields, stacks
from stages.grouping.fields import FieldReader, items, mapping, whole
from stages.grouping.frames import Frame, is_ours
from stages.grouping.parsed_event import ExceptionInfo, ParsedEvent
from stages.grouping.snippet import CHAIN
from stages.grouping.stacks import plain_function


def read(body: dict[str, Any]) -> ParsedEvent:
    """The details of one event. Never raises."""
    take = FieldReader()
    details = ParsedEvent(cut=take.cut, level=fields.level(body.get("level")))
    values = _exceptions(body)
    if values and not _is_captured_message(body, values[-1]):
        details.thrown = _thrown(take, values[-1])
        details.chain = [_thrown(take, one) for one in values[-2 : -2 - CHAIN : -1]]
        details.mechanism = take.text(
            mapping(values[-1].get("mechanism")).get("type"), "mechanism", 80
        )
    else:
        _message(take, details, body, values)
    details.place = take.text(body.get("transaction"), "transaction", fields.TEXT)
    parts = items(body.get("fingerprint"), 20)
    texts = [take.text(part, "fingerprint") for part in parts]
    details.client_fingerprint = [text for text in texts if text]
    details.debug_ids = _debug_ids(take, body)
    read_counted(take, details, body)
    _read_shown(take, details, body)
    return details


def _debug_ids(take: FieldReader, body: dict[str, Any]) -> dict[str, str]:
    """What the SDK knows of each script's source map."""
    images = items(mapping(body.get("debug_meta")).get("images"), debug_ids.MOST)
    pairs = (
        (image.get("code_file"), image.get("debug_id"))
        for image in images
        if isinstance(image, dict) and image.get("type") == "sourcemap"
    )
    return debug_ids.read(take, pairs, "debug_meta")


def _exceptions(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Innermost cause first, the error itself last."""
    exception = body.get("exception")
    values = (
        exception.get("values")
        if isinstance(exception, dict) and "values" in exception
        else exception
    )
    values = values if isinstance(values, list) else [values]
    return [one for one in values[-100:] if isinstance(one, dict) and one]


def _is_captured_message(body: dict[str, Any], value: dict[str, Any]) -> bool:
    """A message that was sent with a stack is an exception without a type, and beside it `message`,
    or `logentry` where it has values of its own (`Sentry.fmt`).
    """
    return bool(body.get("message") or body.get("logentry")) and not value.get("type")


def _message(
    take: FieldReader, details: ParsedEvent, body: dict[str, Any], values: list[dict[str, Any]]
) -> None:
    entry = body.get("logentry") or body.get("message")
    details.shape = "message"
    if isinstance(entry, dict):
        template = take.text(entry.get("message"), "message", fields.MESSAGE)
        text = take.text(entry.get("formatted"), "message", fields.MESSAGE)
        text = text or _formatted(template, entry.get("params"))
        details.thrown = ExceptionInfo("", text, template=template)
    else:
        details.thrown = ExceptionInfo("", take.text(entry, "message", fields.MESSAGE))
    if not values:
        details.thrown.frames = _frames(take, body)  # SDKs of version 5 and 6, and raven
    else:
        details.thrown.frames = _frames(take, values[-1])
        details.mechanism = take.text(
            mapping(values[-1].get("mechanism")).get("type"), "mechanism", 80
        )


def _formatted(template: str, params: Any) -> str:
    """`order %s of %s` with its values, as Sentry formats it where the SDK did not."""
    values = [str(one)[:200] for one in items(params, 50)]
    if not values or template.count("%s") > len(values):
        return template
    head, *rest = template.split("%s")
    return head + "".join(value + part for value, part in zip(values, rest, strict=False))


def _thrown(take: FieldReader, value: dict[str, Any]) -> ExceptionInfo:
    type_ = take.text(value.get("type"), "type")
    message = take.text(value.get("value"), "message", fields.MESSAGE)
    return ExceptionInfo(
        type_,
        message,
        _frames(take, value),
        synthetic=_is_synthetic(mapping(value.get("mechanism"))),
    )


def _is_synthetic(mechanism: dict[str, Any]) -> bool:
    """window.onerror's position is real, though it is no stack."""
    return mechanism.get("synthetic") is True and "onerror" not in str(mechanism.get("type"))


def _frames(take: FieldReader, value: dict[str, Any]) -> list[Frame]:
    """Outermost first on the wire; innermost first from here on."""
    sent = mapping(value.get("stacktrace")).get("frames")
    if isinstance(value.get("stacktrace"), str):
        return stacks.parse(take.text(value["stacktrace"], "stack", fields.STACK))
    if not isinstance(sent, list):
        return []
    if len(sent) > stacks.MAX_FRAMES:
        take.note("stack")
    frames = [
        _frame(take, one) for one in sent[: -stacks.MAX_FRAMES - 1 : -1] if isinstance(one, dict)
    ]
    return stacks.without_wrapper(frames)


def _frame(take: FieldReader, one: dict[str, Any]) -> Frame:
    file = take.text(
        one.get("filename") or one.get("abs_path") or one.get("module"), "stack", fields.TEXT
    )
    function = plain_function(take.text(one.get("function"), "stack", 500))
    said = one.get("in_app")  # browsers' SDKs say True of every frame
    in_app = said is not False and is_ours(file, function, said=said is True)
    return Frame(function, file, whole(one.get("lineno"), 1), whole(one.get("colno"), 1), in_app)


VARYING = (
    *("event_id", "timestamp", "start_timestamp", "user", "tags", "request", "sdk"),
    *("extra", "contexts", "breadcrumbs", "modules", "spans", "measurements"),
)
"""Fields that say nothing of what was thrown: `read_counted` and `_read_shown` alone read them,
or nobody.
"""


def read_counted(take: FieldReader, details: ParsedEvent, body: dict[str, Any]) -> None:
    """What is counted of the circumstances."""
    request = mapping(body.get("request"))
    headers = _headers(request.get("headers"))
    details.page = take.text(request.get("url"), "page", fields.TEXT)
    details.user_agent = take.text(headers.get("user-agent"), "user_agent", 500)
    details.release = take.text(body.get("release"), "release")
    details.dist = take.text(body.get("dist"), "dist")
    details.environment = take.text(body.get("environment"), "environment")
    details.user = take.words(body.get("user"), "user", 20)
    details.tags = take.words(body.get("tags"), "tags")


def _read_shown(take: FieldReader, details: ParsedEvent, body: dict[str, Any]) -> None:
    """What only samples show."""
    sdk, request = mapping(body.get("sdk")), mapping(body.get("request"))
    referrer = _headers(request.get("headers")).get("referer")
    details.referrer = take.text(referrer, "referrer", fields.TEXT)
    name, version = take.text(sdk.get("name"), "sdk", 50), take.text(sdk.get("version"), "sdk", 20)
    details.sdk = f"{name}/{version}" if version else name
    details.ts = milliseconds(body.get("timestamp"))
    details.extra = take.tree(_extra(body), "extra")
    _breadcrumbs(take, details, body.get("breadcrumbs"))


def _headers(sent: Any) -> dict[str, Any]:
    """Values by name in lower case. Sentry's protocol has them as an object, as a list of pairs,
    and with a list where a value is; some SDKs write `{name, value}`.
    """
    listed = sent.items() if isinstance(sent, dict) else map(_header, items(sent, 200))
    found: dict[str, Any] = {}
    for name, value in listed:
        if isinstance(name, str):
            first = value[0] if isinstance(value, list) and value else value
            found.setdefault(name.lower(), first)
    return found


def _header(one: Any) -> tuple[Any, Any]:
    if isinstance(one, list) and len(one) == 2:
        return one[0], one[1]
    return mapping(one).get("name"), mapping(one).get("value")


def _extra(body: dict[str, Any]) -> dict[str, Any]:
    """`extra`, and `contexts` beside it (but for what stands elsewhere)."""
    contexts = {
        name: value
        for name, value in mapping(body.get("contexts")).items()
        if name not in ("trace", "culture")
    }
    extra = mapping(body.get("extra"))
    return {**extra, "contexts": contexts} if contexts else extra


def _breadcrumbs(take: FieldReader, details: ParsedEvent, value: Any) -> None:
    values = value.get("values") if isinstance(value, dict) else value
    found = (
        [one for one in values[-1000:] if isinstance(one, dict)] if isinstance(values, list) else []
    )
    if len(found) > fields.BREADCRUMBS:
        take.note("breadcrumbs")
    details.breadcrumbs = [_breadcrumb(take, one) for one in found[-fields.BREADCRUMBS :]]


def _breadcrumb(take: FieldReader, one: dict[str, Any]) -> dict[str, Any]:
    return {
        "ts": milliseconds(one.get("timestamp")),
        "kind": take.text(one.get("category") or one.get("type"), "breadcrumbs", 50),
        "message": take.text(one.get("message"), "breadcrumbs", 500),
        "data": take.tree(one.get("data"), "breadcrumbs"),
    }


def milliseconds(value: Any) -> int | None:
    """Milliseconds since 1970 from Sentry's seconds or ISO text; None for anything else."""
    if isinstance(value, str) and len(value) <= 40 and "-" in value[1:]:
        try:
            at = datetime.fromisoformat(value)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)  # Sentry's own are in UTC
            return int(at.timestamp() * 1000)
        except (ValueError, OverflowError, OSError):
            return None
    seconds = (
        float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    )
    return None if seconds is None else whole(seconds * 1000)
