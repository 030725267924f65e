"""Pages from templates. Every value is escaped, always: the data comes from strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jinja2
import orjson

from dashboard import assets, times

if TYPE_CHECKING:
    from datetime import datetime

LISTED = 400
"""Characters of a message that a list shows; its own page shows all."""


class Renderer:
    """The templates, compiled once."""

    def __init__(self) -> None:
        self._env = jinja2.Environment(
            loader=jinja2.PackageLoader("dashboard"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._env.globals.update(asset=assets.url, listed=LISTED, locked=False, signed_in="")
        self._env.filters.update(
            ago=_ago,
            exact=_exact,
            whole=_whole,
            lasting=times.lasting,
            pretty=_pretty,
            share=_share,
            brief=_brief,
            segment=_segment,
        )

    def show_log_out(self, *, shown: bool) -> None:
        """Whether people have a session that they can end."""
        self._env.globals["locked"] = shown

    def page(self, template: str, **context: Any) -> str:
        at = times.now()
        return self._env.get_template(template).render(at=at, now=times.milliseconds(at), **context)


def _ago(text: str | None, at: datetime) -> str:
    time = times.parsed(text) if text else None
    return times.ago(time, at) if time else "—"


def _exact(text: str | None) -> str:
    """`2026-11-23 14:28:00.123 UTC`."""
    return text.replace("T", " ").replace("Z", " UTC") if text else ""


def _whole(number: int) -> str:
    return f"{number:,}"


def _brief(text: str, length: int = LISTED) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _segment(text: str) -> str:
    """`text` as one part of a path: `shop/web@1` has a slash that is none of the path's."""
    return quote(text, safe="")


def _share(part: int, whole: int) -> str:
    """`63 %`; never 0 % of something."""
    percent = 100 * part / whole if whole else 0.0
    return "<1 %" if 0 < percent < 1 else f"{percent:.0f} %"


def _pretty(value: Any) -> str:
    """JSON for people."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
