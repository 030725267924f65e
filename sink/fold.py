"""A batch of counted events, folded into as few writes as it takes. Pure: no database in sight."""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from catchwater.issues.facets import birth, facet
from catchwater.issues.states import Sighting
from catchwater.issues.words import words_of
from catchwater.streams import counters, time_buckets
from catchwater.streams.hyperloglog import digest

if TYPE_CHECKING:
    from catchwater.event import Event, Json
    from catchwater.streams.counters import CounterField

_HOUR_DIGITS = 10
_LARGEST = 2**63 - 1  # of MongoDB's numbers; JSON that is read here may have twice as much
_REMEMBERED = 1_000
"""Issues whose words are not looked for again at each event; some 2 kB each."""

_OWN = frozenset(
    {
        "_id",
        "project",
        "words",
        "untold",
        "first_seen",
        "last_seen",
        "birth",
        "names",
        "facets",
        "parts",
        "more",
        "closed",
        "absorbed",
        "u",
        "count",
        "users",
        "first_release",
        "trend",
        "state",
        "handling",
        "notes",
        "regressed",
        "escalated",
        "continued",
    }
)
"""Fields of an issue that are not for a stage of one's own to say."""


@dataclass(slots=True)
class Update:
    """One document's upsert. Doing it twice, or in any order with others, comes to the same."""

    on_insert: Json = field(default_factory=dict)
    highest: Json = field(default_factory=dict)
    lowest: Json = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    facets: set[str] = field(default_factory=set)

    def at_least(self, path: str, value: Any) -> None:
        if value >= self.highest.get(path, value):
            self.highest[path] = value

    def at_most(self, path: str, value: Any) -> None:
        if value <= self.lowest.get(path, value):
            self.lowest[path] = value

    def document(self, identity: str) -> Json:
        """What the upsert comes to where there is no such document yet."""
        found: Json = {"_id": identity}
        for fields in (self.on_insert, self.highest, self.lowest):
            for path, value in fields.items():
                _set(found, path, value)
        return found | self.sets

    @property
    def sets(self) -> dict[str, list[str]]:
        """Fields that are sets, as lists in a fixed order; no empty ones."""
        sets = {"names": self.names, "facets": self.facets}
        return {name: sorted(one) for name, one in sets.items() if one}


def _set(document: Json, path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for name in outer:
        document = document.setdefault(name, {})
    document[last] = value


@dataclass(slots=True)
class Writes:
    """What a batch comes to, by collection and `_id`."""

    issues: defaultdict[str, Update] = field(default_factory=lambda: defaultdict(Update))
    hours: defaultdict[str, Update] = field(default_factory=lambda: defaultdict(Update))
    tags: defaultdict[str, Update] = field(default_factory=lambda: defaultdict(Update))
    releases: defaultdict[str, Update] = field(default_factory=lambda: defaultdict(Update))
    sightings: defaultdict[str, set[Sighting]] = field(default_factory=lambda: defaultdict(set))
    """By issue: it may be resolved, and then it matters when and where it was seen."""
    samples: dict[tuple[str, str], Json] = field(default_factory=dict)
    """By project and event id: two projects may have had the same id."""


def fold(writes: Writes, event: Event) -> None:
    """Add one event of the counted stream.

    Raises KeyError, TypeError or ValueError when it is not one.
    """
    if event.kind == "tally":
        _fold_tally(writes, event.json)
    elif event.body:
        writes.samples[event.project, event.id] = _sample(event)


def _sample(event: Event) -> Json:
    return {
        "_id": event.id,
        "issue": event.facts["issue"],
        "project": event.project,
        "received": _date(event.received),
        **({"user": digest(event.facts["user"])} if event.facts.get("user") else {}),
        "event": zlib.compress(event.body, 6),
        **_awaits(event.body),
    }


def _awaits(body: bytes) -> Json:
    """The source maps that a sample waits for, to be found by them. Most wait for none."""
    if b'"awaits":["' not in body:
        return {}
    found = orjson.loads(body)
    awaits = found.get("awaits") if isinstance(found, dict) else None
    return {"awaits": awaits} if isinstance(awaits, list) else {}


def _fold_tally(writes: Writes, tally: Json) -> None:
    releases: defaultdict[str, set[str]] = defaultdict(set)
    for bucket in tally["buckets"]:
        name, generation = bucket["name"], bucket["generation"]
        part = str(counters.part_of(name, tally["tag"], tally["life"], generation))
        for field_name, n in bucket["values"].items():
            counter = counters.parse_field(field_name)
            if counter.kind == "tag":
                _fold_tag(writes, name, part, counter, int(n), releases)
            else:
                _begun(writes, name, counter.issue).at_least(_path(counter, part), int(n))
    for issue, seen in tally["issues"].items():
        _fold_issue(writes, issue, seen, releases[issue])


def _begun(writes: Writes, bucket: str, issue: str) -> Update:
    """What counts the events of an issue: its hour has a document of its own."""
    if len(bucket) != _HOUR_DIGITS:
        return writes.issues[issue]
    update = writes.hours[f"{issue}:{bucket}"]
    if not update.on_insert:
        hour = time_buckets.start(bucket)
        update.on_insert.update(issue=issue, project=counters.project_of(issue), hour=hour)
    return update


def _path(counter: CounterField, part: str) -> str:
    return f"{'parts' if counter.kind == 'events' else 'more'}.{part}"


class _Tag(NamedTuple):
    """A tag with its value: where it is in documents. `facet` and `release` are '' where it is
    none.
    """

    path: str
    facet: str
    release: str


@lru_cache(maxsize=4_096)
def _tag(text: str) -> _Tag:
    name, value = counters.parse_tag(text)
    path = f"values.{counters.escape_key(name)}.{counters.escape_key(value)}"
    if counters.OTHER in (name, value):
        return _Tag(path, "", "")
    return _Tag(path, facet(name, value), value if name == "release" else "")


def _fold_tag(
    writes: Writes,
    month: str,
    part: str,
    counter: CounterField,
    n: int,
    releases: defaultdict[str, set[str]],
) -> None:
    """Adds the release to those of its issue, if it is one."""
    issue, tag = counter.issue, _tag(counter.tag)
    update = writes.tags[f"{issue}:{month}"]
    if not update.on_insert:
        update.on_insert.update(issue=issue, month=time_buckets.start(month))
    update.at_least(f"{tag.path}.{part}", n)
    if tag.facet:
        writes.issues[issue].facets.add(tag.facet)
    if tag.release:
        releases[issue].add(tag.release)


def _fold_issue(writes: Writes, issue: str, seen: Json, releases: set[str]) -> None:
    """`releases` are those that this commit saw the issue in: it raised their counters."""
    update, first, last = writes.issues[issue], _date(seen["first"]), _date(seen["last"])
    if not update.on_insert:
        update.on_insert.update(_about(seen["about"]), project=counters.project_of(issue))
    update.at_most("first_seen", first)
    update.at_least("last_seen", last)
    update.at_most("birth", birth(seen["first"], releases))
    update.names.update(seen.get("names", ()))
    for register, rank in seen["users"].items():
        update.at_least(f"u.{register}", int(rank))
    writes.sightings[issue].add(Sighting(last, frozenset(releases)))
    for release in releases:
        _fold_release(writes, counters.project_of(issue), release, first, last)


@lru_cache(maxsize=_REMEMBERED)
def _about(text: str) -> Json:
    """What an issue begins with, as the commit tells it at each of its events. A name in it is no
    path: MongoDB inserts some of which it refuses every update.
    """
    said = {counters.escape_key(name): value for name, value in orjson.loads(text).items()}
    about = {name: _stored(value) for name, value in said.items() if name not in _OWN}
    return {**about, "words": words_of(about), "untold": {"new": True}}


def _stored(value: Any) -> Any:
    """What MongoDB may refuse, as too deep, too large or for a key in it, is stored as JSON."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, (list, dict)) or (isinstance(one, int) and one > _LARGEST):
            return orjson.dumps(value).decode()
    return value


def _fold_release(
    writes: Writes, project: str, release: str, first: datetime, last: datetime
) -> None:
    update = writes.releases[f"{project}:{release}"]
    update.on_insert.update(project=project, release=release)
    update.at_most("first_seen", first)
    update.at_least("last_seen", last)


def _date(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
