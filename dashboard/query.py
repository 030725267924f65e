"""The parameters of a list of issues, checked, and the cursor of its next page."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from catchwater.errors import QueryParameterError
from catchwater.issues import search
from catchwater.issues.search import SORTS, Search, short
from dashboard import times
from dashboard.spans import DEFAULT, SPANS, Span

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


WORDS = ("q", "project", "state", "since")
FILTER_OF = {"state": "is"}
"""What parameters are called in a search, where it is something else."""

DATES = ("last_seen", "first_seen")
LIMIT = 50
LIMITS = (1, 200)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last issue of a page: its sort key (milliseconds for a date, None if it has none) and
    its id.
    """

    sort: str
    value: int | None
    id: str

    def __str__(self) -> str:
        return (
            urlsafe_b64encode(orjson.dumps([self.sort, self.value, self.id])).decode().rstrip("=")
        )


@dataclass(frozen=True, slots=True)
class IssueQuery:
    """Which issues at the time `at`, in which order, from where.

    Sorted downwards; equal keys are ordered by id. `search` is what `q` asks for, a text as
    `search.parse` takes it, and what the other parameters add: they are words of it, too.
    """

    at: datetime
    search: Search = field(default_factory=Search)
    project: str = ""
    q: str = ""
    state: str = ""
    sort: str = "last_seen"
    since: str = ""
    span: Span = SPANS[DEFAULT]
    limit: int = LIMIT
    cursor: Cursor | None = None


def parse(given: Mapping[str, str], at: datetime) -> IssueQuery:
    """The query in the parameters `given`, at the time `at`.

    Raises QueryParameterError; unknown ones are ignored.
    """
    words = {name: short(name, given.get(name, "").strip()) for name in WORDS}
    sort = _one_of("sort", given.get("sort") or SORTS[0], SORTS)
    cursor = given.get("cursor")
    return IssueQuery(
        at=at,
        search=_search(words),
        **words,
        sort=sort,
        span=span(given),
        limit=_limit(given["limit"]) if "limit" in given else LIMIT,
        cursor=_cursor(cursor, sort) if cursor else None,
    )


def span(given: Mapping[str, str], default: str = DEFAULT) -> Span:
    """How far back trends are to go. Raises QueryParameterError."""
    return SPANS[_one_of("span", given.get("span") or default, tuple(SPANS))]


def _search(words: Mapping[str, str]) -> Search:
    """`state=resolved` is `is:resolved`, and so on."""
    filters = {FILTER_OF.get(name, name): words[name] for name in WORDS if name != "q"}
    return search.checked(search.parse(words["q"]).with_(**filters))


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise QueryParameterError(
            f"{name}: {_shown(value)} is not allowed; use one of {', '.join(allowed)}"
        )
    return value


def _limit(value: str) -> int:
    low, high = LIMITS
    if not (value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high):
        raise QueryParameterError(
            f"limit: {_shown(value)} is not allowed; use a whole number from {low} to {high}"
        )
    return int(value)


def _cursor(value: str, sort: str) -> Cursor:
    cursor = _decoded(value)
    if cursor is None:
        raise QueryParameterError(
            f"cursor: {_shown(value)} is not one of ours; use the `next` of the page before"
        )
    if cursor.sort != sort:
        raise QueryParameterError(
            f"cursor: it belongs to sort={cursor.sort}, not to sort={sort}; start without a cursor"
        )
    return cursor


def _decoded(value: str) -> Cursor | None:
    try:
        found: Any = orjson.loads(urlsafe_b64decode(value + "=" * (-len(value) % 4)))
        sort, key, issue = found
    except (ValueError, TypeError):
        return None
    good = sort in SORTS and isinstance(issue, str) and (key is None or _fits(sort, key))
    return Cursor(sort, key, issue) if good else None


def _fits(sort: str, key: Any) -> bool:
    """Whether MongoDB could hold `key` under `sort`: a date, or a whole number of 64 bits."""
    if type(key) is not int:
        return False
    return times.instant(key) is not None if sort in DATES else -(2**63) <= key < 2**63


def _shown(value: str) -> str:
    return repr(value if len(value) <= 60 else value[:57] + "...")
