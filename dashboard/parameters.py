"""The parameters of the JSON API, as its description names them."""

from __future__ import annotations

from catchwater.issues.search import FILTERS, LONGEST, SORTS
from catchwater.issues.states import STATES
from dashboard.openapi import Parameter
from dashboard.query import LIMIT, LIMITS
from dashboard.spans import DEFAULT, SPANS

_WORDS = {"type": "string", "maxLength": LONGEST}

_Q = f"""\
What to look for, in the syntax of the dashboard's search box. Filters are `NAME:VALUE`, where NAME
is one of {", ".join(FILTERS)}; a VALUE with spaces is quoted, `*` at its end stands for anything,
and `!` before a filter finds the others. All else is text that stands in type, message, function or
file. Everything must be true of an issue.
"""


def _span(words: str, default: str) -> Parameter:
    allowed = {"type": "string", "enum": list(SPANS), "default": default}
    return Parameter("span", words, allowed)


ISSUE = Parameter("id", "Its id, `<project>:<fingerprint>`.", example="1:v1:8d2a")
SPAN_OF_ONE = _span("How many `days` are wanted; none with `24h`.", "14d")
EVENT = Parameter("id", "Its id, 32 hex digits.", example="0" * 32)
PROJECT = Parameter("project", "Only of this project, by its id.", _WORDS, "1")
RELEASE = (
    Parameter("project", "The project's id.", example="1"),
    Parameter("id", "The release; a `/` in it may be written as `%2F`.", example="shop@1.4.2"),
)
ISSUES = (
    Parameter("q", _Q, _WORDS, "is:unresolved browser:chrome* cannot read"),
    PROJECT,
    Parameter("state", "The same as `is:` in `q`.", {"type": "string", "enum": list(STATES)}),
    Parameter("since", "Last seen then or later: `24h`, `7d`, an ISO-8601 time.", _WORDS, "24h"),
    Parameter(
        "sort",
        "What to sort by, highest first.",
        {"type": "string", "enum": list(SORTS), "default": SORTS[0]},
    ),
    _span("How many `days` of each issue are wanted; none with `24h`.", DEFAULT),
    Parameter(
        "limit",
        "Issues of a page.",
        {"type": "integer", "minimum": LIMITS[0], "maximum": LIMITS[1], "default": LIMIT},
    ),
    Parameter("cursor", "The `next` of the page before; all else as it was asked for there."),
)
