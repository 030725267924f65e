"""Which events are noise, and why: `filter:extensions` and so on, a bounded set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catchwater.config.globs import any_matches
from stages.filters import injected
from stages.filters.crawlers import is_crawler
from stages.filters.local_pages import is_legacy, is_local
from stages.grouping import messages
from stages.grouping.frames import is_extension, is_native

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from catchwater.config.filters import Filters
    from stages.grouping.frames import Frame
    from stages.grouping.parsed_event import ParsedEvent

_REPORTED_SCHEMES = (
    "chrome-extension",
    "moz-extension",
    "safari-extension",
    "safari-web-extension",
)
_MANY = 200  # frames that are looked at for the one that threw


NO_ERROR = "no_error"
"""Why a report is dropped that says that all went well, whatever a project's filters."""


def unwanted(details: ParsedEvent, facts: Mapping[str, Any], filters: Filters) -> str:
    """The first filter that drops the event, such as `filter:crawlers`, or `no_error`; '' for an
    event that passes.

    Never raises.
    """
    if not details.is_error:
        return NO_ERROR
    for name, applies in _FILTERS.items():
        if getattr(filters, name) and applies(details, facts, filters):
            return f"filter:{name}"
    return ""


def thrower(details: ParsedEvent) -> Frame | None:
    """The innermost frame that has a file: whose code threw."""
    return next(
        (frame for frame in details.thrown.frames[:_MANY] if not is_native(frame.file)), None
    )


def _crawlers(details: ParsedEvent, facts: Mapping[str, Any], _: Filters) -> bool:
    return is_crawler(_agent(details, facts))


def _localhost(details: ParsedEvent, facts: Mapping[str, Any], _: Filters) -> bool:
    return is_local(_page(details, facts))


def _legacy_browsers(details: ParsedEvent, facts: Mapping[str, Any], filters: Filters) -> bool:
    return is_legacy(_agent(details, facts), filters.oldest_browsers)


def _script_error(details: ParsedEvent, _: Mapping[str, Any], __: Filters) -> bool:
    return _says(details, "script of another origin") and thrower(details) is None


def _resize_observer(details: ParsedEvent, _: Mapping[str, Any], __: Filters) -> bool:
    return _says(details, "ResizeObserver loop")


def _says(details: ParsedEvent, canonical: str) -> bool:
    message = messages.normalize(details.thrown.type, details.thrown.message)
    return message.known and message.text == canonical


def _extensions(details: ParsedEvent, _: Mapping[str, Any], __: Filters) -> bool:
    if any(part.startswith(_REPORTED_SCHEMES) for part in details.parts):
        # what a content security policy blocked, or a resource of an extension that did not load
        return True
    frame = thrower(details)
    in_page = frame is None or not injected.is_script_file(frame.file, details.page)
    if in_page and injected.says_extension(details.thrown.message):
        return True
    return frame is not None and is_extension(frame.file) and not _passed_through(details)


def _passed_through(details: ParsedEvent) -> bool:
    """The site's own failed request, or rejection, which an extension's wrapper around `fetch`
    only passes on.
    """
    own = any(frame.in_app for frame in details.thrown.frames[:_MANY])
    return own and (details.thrown.synthetic or _says(details, "network request failed"))


def _injected_scripts(details: ParsedEvent, _: Mapping[str, Any], __: Filters) -> bool:
    frame = thrower(details)
    if frame is not None and injected.is_script_file(frame.file, details.page):
        return injected.is_injected(frame.file)
    return injected.says_injected(details.thrown.message)


def _allowed_scripts(details: ParsedEvent, _: Mapping[str, Any], filters: Filters) -> bool:
    frame = thrower(details) if details.shape == "error" else None
    return frame is not None and not any_matches(filters.allowed_scripts, frame.file)


def _messages(details: ParsedEvent, _: Mapping[str, Any], filters: Filters) -> bool:
    message = details.thrown.message
    return any_matches(filters.messages, message, f"{details.thrown.type}: {message}")


def _pages(details: ParsedEvent, facts: Mapping[str, Any], filters: Filters) -> bool:
    return any_matches(filters.pages, _page(details, facts))


def _agent(details: ParsedEvent, facts: Mapping[str, Any]) -> str:
    return details.user_agent or str(facts.get("user_agent") or "")[:500]


def _page(details: ParsedEvent, facts: Mapping[str, Any]) -> str:
    return details.page or str(facts.get("origin") or "")


_FILTERS: dict[str, Callable[[ParsedEvent, Mapping[str, Any], Filters], bool]] = {
    "crawlers": _crawlers,
    "localhost": _localhost,
    "legacy_browsers": _legacy_browsers,
    "pages": _pages,
    "messages": _messages,
    "script_error": _script_error,
    "resize_observer": _resize_observer,
    "extensions": _extensions,
    "injected_scripts": _injected_scripts,
    "allowed_scripts": _allowed_scripts,
}
