"""How issues are found quickly: among the few that fulfil one of the conditions, if one has few;
else in the order of the list, which soon comes to enough of many.

The steps say what to look up, and who has a client does it: so the command line and the dashboard
search in one way. Pure.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catchwater.issues import search, states

if TYPE_CHECKING:
    from datetime import datetime

    from catchwater.issues.search import Condition, Narrow, Search

Document = dict[str, Any]

FEW = 1_000
"""Issues that fulfil a condition, at most, that a search is narrowed to.

Where more do, of 100,000, a page is full after some 5,000 of the list.
"""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A pipeline of MongoDB's, to be run on a collection. Its documents' `_id` are wanted."""

    collection: str
    pipeline: list[Document]


@dataclass(frozen=True, slots=True)
class Selection:
    """The condition of issues that are searched for; `few`: it names them by their ids."""

    condition: Condition
    few: bool


Steps = Generator[Lookup, list[str], Selection]
"""Each lookup is answered with the ids; what is returned at the end is the selection."""


def steps(wanted: Search, at: datetime, *further: Condition) -> Steps:
    """How to find the issues that are searched for, at the time `at`, and fulfil `further`."""
    asked = search.asked(wanted, at)
    conditions = [*asked.conditions, *further]
    own = [one for one in asked.narrow if one.collection == "issues"]
    conditions += [one.condition for one in own if not one.implied]
    few = False
    for one in asked.narrow:
        if one.collection != "issues":
            conditions.append({"_id": {"$in": (yield from _issues_of(one))}})
            few = True
    for one in () if few else own:
        ids = yield Lookup("issues", _ids(one.condition, FEW + 1))
        if len(ids) <= FEW:
            return Selection({"$and": [*conditions, {"_id": {"$in": ids}}]}, few=True)
    return Selection({"$and": conditions}, few)


def _ids(condition: Condition, limit: int) -> list[Document]:
    return [{"$match": condition}, {"$limit": limit}, {"$project": {"_id": True}}]


def _issues_of(one: Narrow) -> Generator[Lookup, list[str], list[str]]:
    """The issues of documents of another collection, and those that they were merged into."""
    ids = yield Lookup(
        one.collection, [{"$match": one.condition}, {"$group": {"_id": f"${one.ids}"}}]
    )
    merged = {"_id": {"$in": ids}, "state": states.MERGED}
    into: list[Document] = [{"$match": merged}, {"$project": {"_id": "$handling.into"}}]
    return [*ids, *(yield Lookup("issues", into))]
