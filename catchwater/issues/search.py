"""What people ask of a list of issues, as one text: `is:resolved browser:chrome* cannot read`.

The dashboard's box, its address, the JSON API and the command line take the same text. Pure: it
becomes conditions of MongoDB's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from catchwater.config.units import parse_duration
from catchwater.errors import QueryParameterError
from catchwater.event import PROBES
from catchwater.issues import facets, words
from catchwater.issues.states import IGNORED, MERGED, RESOLVED, STATES
from catchwater.streams.hyperloglog import digest
from catchwater.surrogates import replaced

Condition = dict[str, Any]

LONGEST = 500
"""Characters of a search that are allowed: enough for two releases. Longer ones only cost time."""

MOST_FILTERS = 20
"""What excludes is compared with every issue: 80 such filters took 5 s among 100,000."""

SORTS = ("last_seen", "first_seen", "count", "users", "trend")
"""What a list of issues is sorted by, highest first; the first one unless said otherwise."""

FACETS = ("release", "environment", "browser", "os", "device", "page")
"""Tags that every issue may have: each is a filter of its own. Others are `tag.NAME`."""

_TIMES: dict[str, tuple[str, str]] = {
    "since": ("last_seen", "$gte"),
    "until": ("first_seen", "$lte"),
    "new-since": ("first_seen", "$gte"),
}
_FIELDS = {"level": "level", "new-in": "first_release", "regressed-in": "regressed.release"}
_ONE = ("is", "project", "level", "user", "new-in", "regressed-in", *_TIMES)
"""Filters of which an issue has one value only: two of them exclude each other."""

_RAREST_FIRST = (
    "new-in",
    "regressed-in",
    "page",
    "release",
    "device",
    "browser",
    "os",
    *_TIMES,
    "environment",
    "level",
    "is",
    "project",
)
"""In which order filters are looked up; what is not among them is known before."""

FILTERS = (*_ONE, *FACETS, "tag.NAME")
"""As they are written before the colon."""

_TAG = r"tag\.(?:\"[^\"]+\"|[^\s:\"]+)"
_POSITIVE = ("is", "user", *_TIMES)
"""Filters that cannot be turned round by a `!` before them."""

_NEGATABLE = "|".join((*(one for one in (*_ONE, *FACETS) if one not in _POSITIVE), _TAG))
_NAME = rf"{'|'.join(_POSITIVE)}|!?(?:{_NEGATABLE})"
_FILTER = re.compile(rf'(?<!\S)({_NAME}):("[^"]*"|[^\s"]\S*)')
_QUOTED = re.compile(r'"([^"]*)"')
_NAMES_OF_USERS = ("id:", "email:", "username:", "ip_address:", "")
"""How the fingerprint stage begins what it calls a user."""


@dataclass(frozen=True, slots=True)
class Search:
    """`text` stands in an issue, as it is, whatever its case, from the beginning of a word on.

    '' asks for nothing. `filters` are pairs of name and value.
    """

    text: str = ""
    filters: frozenset[tuple[str, str]] = frozenset()

    def with_(self, **filters: str) -> Search:
        """The same with filters more, where they are not ''."""
        given = {(name, value) for name, value in filters.items() if value}
        return Search(self.text, self.filters | given)


@dataclass(frozen=True, slots=True)
class Narrow:
    """A condition that few issues may fulfil, which an index knows.

    `ids` is the field that holds the issues' ids, where `collection` is not that of the issues.
    `implied`: the other conditions say so, too.
    """

    condition: Condition
    collection: str = "issues"
    ids: str = "_id"
    implied: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """All `conditions` and all `narrow` ones hold for an issue that is searched for."""

    conditions: list[Condition] = field(default_factory=list)
    narrow: list[Narrow] = field(default_factory=list)


def short(name: str, value: str) -> str:
    """The value itself, as events have it. Raises QueryParameterError for one that is too long or
    no text.
    """
    if len(value) > LONGEST:
        raise QueryParameterError(
            f"{name}: {len(value)} characters are too many; at most {LONGEST} are allowed"
        )
    if "\0" in value:
        raise QueryParameterError(f"{name}: a NUL character is not allowed; leave it out")
    return replaced(value)


def parse(text: str) -> Search:
    """Raises QueryParameterError for a text that is too long, a value that there cannot be, or for
    two that exclude each other.

    A text that is quoted as a whole is only searched for.
    """
    text = short("q", text)
    if quoted := _QUOTED.fullmatch(text.strip()):
        return Search(quoted[1])
    given = {(one[1].replace('"', ""), one[2].strip('"')) for one in _FILTER.finditer(text)}
    rest = " ".join(_FILTER.sub("", text).split()) if given else text.strip()
    return checked(Search(rest, frozenset(given)))


def checked(search: Search) -> Search:
    """The search itself. Raises QueryParameterError."""
    if len(search.filters) > MOST_FILTERS:
        raise QueryParameterError(
            f"q: {len(search.filters)} filters are too many; at most {MOST_FILTERS} are allowed"
        )
    given: dict[str, str] = {}
    for name, value in sorted(search.filters):
        if name in _ONE and given.setdefault(name, value) != value:
            raise QueryParameterError(
                f"{name}: {given[name]!r} and {value!r} exclude each other; leave one out"
            )
        if name in _TIMES:
            moment(name, value, datetime.now(UTC))
    state = given.get("is", "")
    if state and state not in STATES:
        raise QueryParameterError(f"is: {state!r} is not allowed; use one of {', '.join(STATES)}")
    return search


def moment(name: str, value: str, at: datetime) -> datetime:
    """A time, or how long before `at`, in the filter `name`. Raises QueryParameterError."""
    try:
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return at - parse_duration(value)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        shown = value if len(value) <= 60 else value[:57] + "..."
        raise QueryParameterError(
            f"{name}: {shown!r} is not allowed; use a duration such as 24h or 7d, or a time such "
            "as 2026-11-23T14:28:00Z"
        ) from None


def asked(search: Search, at: datetime) -> Asked:
    """What a search asks for, at the time `at`: what few issues fulfil comes first, as a rule."""
    state = next((value for name, value in search.filters if name == "is"), "")
    found = Asked([of_state(state, at)])
    if not any(name == "project" for name, _ in search.filters):
        found.conditions.append({"project": {"$ne": PROBES}})
    if search.text:
        literal = {"$regex": re.escape(search.text), "$options": "i"}
        found.conditions.append({"$or": [{name: literal} for name in words.SEARCHED]})
        found.narrow.extend(Narrow(one, implied=True) for one in words.conditions(search.text))
    if state in (RESOLVED, IGNORED):
        found.narrow.append(Narrow({"state": state}))
    for name, value in sorted(search.filters, key=_rarest_first):
        if name == "project":
            found.conditions.append({"project": value})
        elif name.startswith("!"):
            found.conditions.append({"$nor": [_narrow(name[1:], value, at).condition]})
        elif name != "is":
            found.narrow.append(_narrow(name, value, at))
    return found


def _rarest_first(given: tuple[str, str]) -> tuple[int, str, str]:
    name, value = given
    return _RAREST_FIRST.index(name) if name in _RAREST_FIRST else -1, name, value


def _narrow(name: str, value: str, at: datetime) -> Narrow:
    if name in _TIMES:
        key, comparison = _TIMES[name]
        return Narrow({key: {comparison: moment(name, value, at)}})
    if name == "user":
        digests = [digest(f"{kind}{value}") for kind in _NAMES_OF_USERS]
        return Narrow({"user": {"$in": digests}}, "samples", "issue")
    if name == "project":
        return Narrow({"project": value})
    if name in _FIELDS:
        wanted = value.lower() if name == "new-in" else value
        return Narrow({_FIELDS[name]: facets.beginning(wanted)})
    return Narrow(facets.has(name.removeprefix("tag."), value))


def of_state(state: str, at: datetime) -> Condition:
    """Issues in a state at the time `at`; '' is any but merged ones, which are parts of others."""
    over = {"state": IGNORED, "handling.time": {"$lte": at}}
    if state == RESOLVED:
        return {"state": RESOLVED}
    if state == IGNORED:
        return {"state": IGNORED, "$nor": [over]}
    if state:
        return {"$or": [{"state": None}, over]}
    return {"state": {"$ne": MERGED}}
