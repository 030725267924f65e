"""The content of a raw body, whatever its protocol: the common form that grouping works on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stages.grouping.frames import Frame


@dataclass(slots=True)
class ExceptionInfo:
    """One error: itself, or one of those that caused it. `type` is '' when it is unknown.

    `template` is the message before its values were filled in, where the client sent that too.
    `synthetic`: the frames are those of whoever caught it, as what was thrown had no stack.
    """

    type: str = ""
    message: str = ""
    frames: list[Frame] = field(default_factory=list)
    template: str = ""
    synthetic: bool = False


@dataclass(slots=True)
class ParsedEvent:
    """An event's contents, bounded.

    `shape` is `error`, `message`, `resource` or a kind of browser report (`csp-violation`,
    `deprecation`, `intervention`, `crash`...); `parts` then names it, in order.
    """

    shape: str = "error"
    thrown: ExceptionInfo = field(default_factory=ExceptionInfo)
    chain: list[ExceptionInfo] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    client_fingerprint: list[str] = field(default_factory=list)
    source: Frame | None = None  # window.onerror's position, or where a browser's report points
    is_error: bool = True  # some reports of browsers say that all went well
    place: str = ""  # where it happened if no frame says so: a transaction, a page
    level: str = "error"
    mechanism: str = ""
    page: str = ""
    referrer: str = ""
    release: str = ""
    dist: str = ""  # which of several builds of the release
    environment: str = ""
    user_agent: str = ""
    sdk: str = ""
    ts: int | None = None
    n: int = 1
    first_ts: int | None = None
    user: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    breadcrumbs: list[dict[str, Any]] = field(default_factory=list)
    debug_ids: dict[str, str] = field(
        default_factory=dict
    )  # of source maps, by the address of the script
    awaits: list[str] = field(default_factory=list)  # source maps that were not there
    cut: list[str] = field(default_factory=list)
