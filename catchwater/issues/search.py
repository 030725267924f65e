"""What people ask of a list of issues, as one text: `is:resolved project:1 cannot read`.

The dashboard's box, its address, the JSON API and the command line take the same text. Pure: it
becomes a condition of MongoDB's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catchwater.errors import QueryParameterError
from catchwater.issues import words
from catchwater.issues.states import IGNORED, MERGED, RESOLVED, STATES

if TYPE_CHECKING:
    from datetime import datetime

Condition = dict[str, Any]

_WORD = re.compile(r'(?<!\S)(is|project|level):("[^"]*"|[^\s"]\S*)')
_QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Search:
    """`text` stands in an issue, as it is, whatever its case, from the beginning of a word on.

    '' asks for nothing.
    """

    text: str = ""
    state: str = ""
    project: str = ""
    level: str = ""


def parse(text: str) -> Search:
    """Raises QueryParameterError for a state that there is not, or for two of one kind.

    A text that is quoted as a whole is only searched for.
    """
    if quoted := _QUOTED.fullmatch(text.strip()):
        return Search(quoted[1])
    given: dict[str, str] = {}
    for found in _WORD.finditer(text):
        name, value = found[1], found[2].strip('"')
        if given.setdefault(name, value) != value:
            raise QueryParameterError(f"{name}: {given[name]!r} and {value!r} exclude each other")
    state = given.get("is", "")
    if state and state not in STATES:
        raise QueryParameterError(f"is: {state!r} is not allowed; use one of {', '.join(STATES)}")
    rest = " ".join(_WORD.sub("", text).split()) if given else text.strip()
    return Search(rest, state, given.get("project", ""), given.get("level", ""))


def conditions(search: Search, at: datetime) -> list[Condition]:
    """All of them hold for an issue that is searched for, at the time `at`."""
    found = [of_state(search.state, at)]
    found += [{name: value} for name in ("project", "level") if (value := getattr(search, name))]
    if search.text:
        literal = {"$regex": re.escape(search.text), "$options": "i"}
        found.append({"$or": [{field: literal} for field in words.SEARCHED]})
    return found


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
