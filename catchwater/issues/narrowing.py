"""How issues are found quickly: among those that fulfil one of the conditions, where an index knows
that they are few; else in the order of the list, which soon comes to enough of many.

The steps say what to look up, and who has a client does it: so the command line and the dashboard
search in one way. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from catchwater.issues import search, states

if TYPE_CHECKING:
    from datetime import datetime

    from catchwater.issues.search import Condition, Narrow, Search

Document = dict[str, Any]
Index = list[tuple[str, int]]
"""Fields, and 1 or -1 for their order, as pymongo's `hint` takes them."""

FEW = 2_000
"""Issues that fulfil a condition and are all looked at without a further question.

Of 100,000, a page of 50 issues that more fulfil is full after some 2,500 of the list.
"""

MANY = 6_000
"""Issues that fulfil a condition and are counted, at most: half a microsecond each."""

SLACK = 2
"""How many times as far as it should take is looked for a full page in the list."""

_BY_ID: Index = [("_id", 1)]


@dataclass(frozen=True, slots=True)
class Ids:
    """A pipeline of MongoDB's, to be run on a collection. Its documents' `_id` are wanted."""

    collection: str
    pipeline: list[Document]


@dataclass(frozen=True, slots=True)
class Count:
    """How many issues fulfil a condition: `most` at most. {} asks for about how many there are."""

    condition: Condition
    most: int = 0


Lookup = Ids | Count


@dataclass(frozen=True, slots=True)
class Selection:
    """The condition of issues that are searched for, and the index to find them by.

    None where the order of the list says it.
    """

    condition: Condition
    index: Index | None = None


@dataclass(frozen=True, slots=True)
class Rarest:
    """The condition that the fewest issues fulfil: how many do, and how many each other."""

    one: Narrow
    count: int
    counts: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part of the list of issues that are searched for at the time `at`: the first `limit` ones
    by `sort`, 0 for all.
    """

    search: Search
    at: datetime
    sort: str
    limit: int

    @property
    def project(self) -> str:
        return next((value for name, value in self.search.filters if name == "project"), "")

    @property
    def order(self) -> Index:
        """The index of the list."""
        return [*([("project", 1)] if self.project else []), *self._sorted]

    def index(self, one: Narrow) -> Index:
        """The one that knows what fulfils a condition."""
        (name,) = one.condition
        if name == "state":
            return [(name, 1), *self._sorted]
        if name == "words":
            return [(name, 1)]
        direction = -1 if name in search.SORTS else 1
        return [(name, direction), ("_id", direction)]

    @property
    def _sorted(self) -> Index:
        return [(self.sort, -1), ("_id", -1)]


Steps = Generator[Lookup, Any, Selection]
"""Ids are answered with texts, counts with numbers; in the end there is the selection."""


def steps(wanted: Wanted, *further: Condition) -> Steps:
    """How to find the issues that are searched for and fulfil `further`."""
    asked = search.asked(wanted.search, wanted.at)
    own = [one for one in asked.narrow if one.collection == "issues"]
    conditions = [*asked.conditions, *further]
    conditions += [one.condition for one in own if not one.implied]
    elsewhere = [one for one in asked.narrow if one.collection != "issues"]
    for one in elsewhere:
        conditions.append({"_id": {"$in": (yield from _issues_of(one))}})
    if elsewhere:
        return Selection({"$and": conditions}, _BY_ID)
    if not own:
        return Selection({"$and": conditions})
    rarest = yield from _rarest(wanted, own)
    if rarest is None:
        return Selection({"$and": conditions}, wanted.order)
    if rarest.count > FEW and (first := (yield from _near(wanted, rarest, conditions, further))):
        return Selection({"_id": {"$in": first}}, _BY_ID)
    return Selection({"$and": [*conditions, rarest.one.condition]}, wanted.index(rarest.one))


def _rarest(wanted: Wanted, own: list[Narrow]) -> Generator[Count, int, Rarest | None]:
    """The condition that the fewest issues fulfil; None where a page is full sooner than they are
    looked at, whatever the others are.
    """
    if wanted.project and (yield Count({"project": wanted.project}, FEW + 1)) <= FEW:
        return None
    for one in own:
        count = yield Count(one.condition, FEW + 1)
        if count <= FEW:
            return Rarest(one, count)
    if all(one.implied for one in own) or (len(own) == 1 and wanted.limit):
        return None
    return (yield from _of_many(wanted, own))


def _of_many(wanted: Wanted, own: list[Narrow]) -> Generator[Count, int, Rarest | None]:
    """Where none of them is fulfilled by few. The words of a text come together more often than
    they would by chance, so they say as little as one that a few have.
    """
    counts: list[int] = []
    for one in own:
        counts += [FEW + 1 if one.implied else (yield Count(one.condition, MANY + 1))]
    least, at = min((c, n) for n, c in enumerate(counts) if not own[n].implied)
    if wanted.project and (yield Count({"project": wanted.project}, MANY + 1)) <= least:
        return None
    return Rarest(own[at], least, counts) if least <= MANY else None


def _near(
    wanted: Wanted, rarest: Rarest, conditions: list[Condition], further: tuple[Condition, ...]
) -> Generator[Lookup, Any, list[str]]:
    """The ids of a whole page, if the list comes to them soon; else none.

    It does if the conditions have nothing to do with each other, as a rule.
    """
    if not wanted.limit:
        return []
    every = max(1, (yield Count({})))
    share = math.prod(min(1, count / every) for count in rarest.counts)
    soon = int(wanted.limit / share) * SLACK
    if soon > rarest.count:
        return []
    ids: list[str] = yield Ids("issues", _first(wanted, soon, conditions, further))
    return ids if len(ids) == wanted.limit else []


def _first(
    wanted: Wanted, soon: int, conditions: list[Condition], further: tuple[Condition, ...]
) -> list[Document]:
    """What fulfils the conditions among the first issues of the list."""
    project = [{"project": wanted.project}] if wanted.project else []
    of_list = [*project, *further]
    return [
        *([{"$match": {"$and": of_list}}] if of_list else []),
        {"$sort": dict(wanted.order)},
        {"$limit": soon},
        {"$match": {"$and": conditions}},
        {"$limit": wanted.limit},
        {"$project": {"_id": True}},
    ]


def _issues_of(one: Narrow) -> Generator[Ids, list[str], list[str]]:
    """The issues of documents of another collection, and those that they were merged into."""
    ids = yield Ids(one.collection, [{"$match": one.condition}, {"$group": {"_id": f"${one.ids}"}}])
    merged = {"_id": {"$in": ids}, "state": states.MERGED}
    into: list[Document] = [{"$match": merged}, {"$project": {"_id": "$handling.into"}}]
    return [*ids, *(yield Ids("issues", into))]
