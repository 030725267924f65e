"""A batch of counted events, folded into as few writes as it takes. Pure: no database in sight."""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

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
_REMEMBERED = 1_000
"""Issues whose words are not looked for again at each event; some 2 kB each."""


@dataclass(slots=True)
class Update:
    """One document's upsert. Doing it twice, or in any order with others, comes to the same."""

    on_insert: Json = field(default_factory=dict)
    highest: Json = field(default_factory=dict)
    lowest: Json = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    facets: set[str] = field(default_factory=set)

    def at_least(self, path: str, value: Any) -> None:
        self.highest[path] = max(value, self.highest.get(path, value))

    def at_most(self, path: str, value: Any) -> None:
        self.lowest[path] = min(value, self.lowest.get(path, value))

    def document(self, identity: str) -> Json:
        """What the upsert comes to where there is no such document yet."""
        found: Json = {"_id": identity}
        for fields in (self.on_insert, self.highest, self.lowest):
            for path, value in fields.items():
                _set(found, path, value)
        sets = {"names": self.names, "facets": self.facets}
        return found | {name: sorted(one) for name, one in sets.items() if one}


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
    for issue, seen in tally["issues"].items():
        _fold_issue(writes.issues[issue], issue, seen)
    for bucket in tally["buckets"]:
        name, generation = bucket["name"], bucket["generation"]
        part = str(counters.part_of(name, tally["tag"], tally["life"], generation))
        for field_name, n in bucket["values"].items():
            _fold_value(writes, name, part, counters.parse_field(field_name), int(n))
    _fold_sightings(writes, tally)


def _fold_sightings(writes: Writes, tally: Json) -> None:
    """Which releases this commit saw each issue in: those whose counters it raised."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for bucket in tally["buckets"]:
        for one in map(counters.parse_field, bucket["values"]):
            if one.kind == "tag" and one.name == "release" and one.value != counters.OTHER:
                found[one.issue].add(one.value)
    for issue, seen in tally["issues"].items():
        last = _date(seen["last"])
        writes.sightings[issue].add(Sighting(last, frozenset(found[issue])))
        writes.issues[issue].at_most("birth", birth(seen["first"], found[issue]))
        for release in found[issue]:
            _fold_release(writes, counters.project_of(issue), release, seen)


def _fold_release(writes: Writes, project: str, release: str, seen: Json) -> None:
    update = writes.releases[f"{project}:{release}"]
    update.on_insert.update(project=project, release=release)
    update.at_most("first_seen", _date(seen["first"]))
    update.at_least("last_seen", _date(seen["last"]))


def _fold_issue(update: Update, issue: str, seen: Json) -> None:
    update.on_insert.update(_about(seen["about"]), project=counters.project_of(issue))
    update.at_most("first_seen", _date(seen["first"]))
    update.at_least("last_seen", _date(seen["last"]))
    update.names.update(seen.get("names", ()))
    for register, rank in seen["users"].items():
        update.at_least(f"u.{register}", int(rank))


@lru_cache(maxsize=_REMEMBERED)
def _about(text: str) -> Json:
    """What an issue begins with, as the commit tells it at each of its events."""
    about = orjson.loads(text)
    return {**about, "words": words_of(about), "untold": {"new": True}}


def _fold_value(writes: Writes, bucket: str, part: str, counter: CounterField, n: int) -> None:
    if counter.kind == "tag":
        _fold_tag(writes.tags[f"{counter.issue}:{bucket}"], counter, bucket, part, n)
        if counters.OTHER not in (counter.name, counter.value):
            writes.issues[counter.issue].facets.add(facet(counter.name, counter.value))
    elif len(bucket) == _HOUR_DIGITS:
        update = writes.hours[f"{counter.issue}:{bucket}"]
        hour = time_buckets.start(bucket)
        update.on_insert.update(
            issue=counter.issue, project=counters.project_of(counter.issue), hour=hour
        )
        update.at_least(_path(counter, part), n)
    else:
        writes.issues[counter.issue].at_least(_path(counter, part), n)


def _path(counter: CounterField, part: str) -> str:
    return f"{'parts' if counter.kind == 'events' else 'more'}.{part}"


def _fold_tag(update: Update, counter: CounterField, month: str, part: str, n: int) -> None:
    name, value = counters.escape_key(counter.name), counters.escape_key(counter.value)
    update.on_insert.update(issue=counter.issue, month=time_buckets.start(month))
    update.at_least(f"values.{name}.{value}.{part}", n)


def _date(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
