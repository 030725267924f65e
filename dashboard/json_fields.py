"""Documents of MongoDB as the fields of the JSON API.

Pure; a missing or odd field becomes an empty one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from catchwater.issues.days import DAY
from catchwater.issues.samples import body_of
from catchwater.issues.shown import handling, merged_ids
from catchwater.streams.counters import OTHER, unescape_key
from dashboard import times

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime, timedelta

    from catchwater.event import Json

    Counted = tuple[str, datetime, int]
    """An issue, when an hour began, and how many events it has in that."""

_DAYS = {f"{day:02}": day - 1 for day in range(1, 32)}
"""How long after the beginning of its month a day is."""

DEPTH = 60
"""Levels of a sample that are shown; a hostile one may have a thousand, more than JSON can be
written with.
"""

TAGS = ("browser", "os", "device", "release", "environment", "page")
_TIMES = ("received", "ts", "first_ts")
_TEXTS = ("page", "browser", "os", "release", "environment", "type", "message", "culprit", "level")


def text(value: Any) -> str:
    """`value` if it is text, a number as text, else ''."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


def mapping(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def total(*parts: Any) -> int:
    """The sum of the parts of a counter: of every partition, epoch and generation."""
    return sum(_sum(part.values()) for part in parts if isinstance(part, dict))


def _sum(values: Collection[Any]) -> int:
    """Of what are numbers. A list of issues has thousands of them: at once where all are."""
    return sum(values) if set(map(type, values)) == {int} else sum(map(number, values))


def issue(document: Mapping[str, Any], hours: list[int], days: list[int], at: datetime) -> Json:
    """One issue as lists and its own page show it at the time `at`; `days` if there are any."""
    identity, said = text(document.get("_id")), handling(document, at)
    return {
        "id": identity,
        "project": text(document.get("project")) or identity.partition(":")[0],
        "type": text(document.get("type")),
        "message": text(document.get("message")),
        "culprit": text(document.get("culprit")),
        "count": number(document.get("count")),
        "users": number(document.get("users")),
        "trend": number(document.get("trend")),
        "first_seen": times.iso_or_none(document.get("first_seen")),
        "last_seen": times.iso_or_none(document.get("last_seen")),
        "level": text(document.get("level")) or "error",
        **{name: said[name] for name in ("state", "regressed")},
        "hours": hours,
        **({"days": days} if days else {}),
    }


def names(document: Mapping[str, Any]) -> list[str]:
    """Further names of an issue: by other versions of grouping, and of what was merged into it."""
    found = [text(one) for one in sequence(document.get("names"))]
    return list(dict.fromkeys([*found, *merged_ids(document)]))


def deploy(document: Mapping[str, Any]) -> Json:
    """When a release of an issue's project was deployed, and where to."""
    named = {name: text(document.get(name)) for name in ("release", "environment")}
    return named | {"at": times.iso_or_none(document.get("at"))}


def hourly(documents: Iterable[Mapping[str, Any]]) -> list[Counted]:
    """What documents of `hours` count."""
    return [
        (text(one.get("issue")), hour, total(one.get("parts"), one.get("more")))
        for one in documents
        if (hour := times.instant(one.get("hour")))
    ]


def series(
    counted: Iterable[Counted], first: datetime, step: timedelta, length: int
) -> dict[str, list[int]]:
    """Each issue's counts, `length` of them from `first` on, each a `step` long, oldest first."""
    found: dict[str, list[int]] = {}
    for issue, at, n in counted:
        place = (at - first) // step
        if 0 <= place < length:
            found.setdefault(issue, [0] * length)[place] += n
    return found


def add_folded(
    counts: dict[str, list[int]],
    documents: Iterable[Mapping[str, Any]],
    first: datetime,
    length: int,
    until: datetime,
) -> None:
    """Add to each issue's `length` days from `first` on those before `until` in documents of
    `days`.
    """
    end = min((until - first) // DAY, length)
    for document in documents:
        if (month := times.instant(document.get("month"))) is None:
            continue
        before = (month - first) // DAY
        of_issue = counts.setdefault(text(document.get("issue")), [0] * length)
        for name, n in mapping(document.get("counts")).items():
            if 0 <= (place := before + _DAYS.get(name, length)) < end:
                of_issue[place] += number(n)


def tags(documents: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Each tag's values with their counts over all months and partitions: most first, `(other)`
    last.
    """
    sums: dict[str, dict[str, int]] = {name: {} for name in TAGS}
    for document in documents:
        for name, values in mapping(document.get("values")).items():
            counts = sums.setdefault(unescape_key(name), {})
            for value, parts in mapping(values).items():
                decoded = unescape_key(value)
                counts[decoded] = counts.get(decoded, 0) + total(parts)
    return {name: dict(sorted(counts.items(), key=_most_first)) for name, counts in sums.items()}


def _most_first(counted: tuple[str, int]) -> tuple[bool, int, str]:
    value, count = counted
    return value == OTHER, -count, value


def called(documents: Iterable[Mapping[str, Any]]) -> list[Json]:
    """What the issues were called that are counted in another one, and since when they are because
    their source maps came in late; None if people said so.
    """
    return [
        {
            "id": text(one.get("_id")),
            **{name: text(one.get(name)) for name in ("type", "message", "culprit")},
            "late": times.iso_or_none(mapping(one.get("continued")).get("at")),
        }
        for one in documents
    ]


def stored(document: Mapping[str, Any]) -> Json:
    """The named event in a sample's document as it was stored, at most `DEPTH` levels deep."""
    damaged = {"message": "This sample cannot be read: its document in MongoDB is damaged."}
    found = body_of(document)
    return mapping(pruned(damaged if found is None else found))


def _late(document: Mapping[str, Any]) -> Json:
    """The fields that a sample has since its source maps were uploaded, and since when: nothing
    of most samples.
    """
    found = mapping(document.get("late"))
    fields = mapping(pruned(body_of(found)))
    return {**fields, "late": times.iso_or_none(found.get("at"))} if fields else {}


def event(document: Mapping[str, Any]) -> Json:
    """One sample, whole, with its times as text."""
    found = stored(document) | _late(document)
    clocks = {name: _time(found[name]) for name in _TIMES if name in found}
    crumbs = [
        {**crumb, "ts": _time(crumb.get("ts"))}
        for crumb in sequence(found.get("breadcrumbs"))
        if crumb == mapping(crumb)
    ]
    whole = {**found, **clocks, "breadcrumbs": crumbs}
    whole["id"] = text(document.get("_id"))
    whole["issue"] = text(document.get("issue"))
    whole["project"] = text(document.get("project"))
    whole["received"] = times.iso_or_none(document.get("received")) or whole.get("received")
    return whole


def summary(document: Mapping[str, Any]) -> Json:
    """One sample as a line of its issue's page."""
    found = event(document)
    person = mapping(found.get("user"))
    return {
        "id": found["id"],
        "received": found["received"],
        **{name: text(found.get(name)) for name in _TEXTS},
        "user": text(person.get("id")),
        "n": number(found.get("n")) or 1,
    }


def explain(found: Json) -> Json:
    """Why an event belongs to its issue: what its fingerprint was made of, and what was left
    out and why.
    """
    ignored = [mapping(one) for one in sequence(found.get("ignored"))]
    return {
        "fingerprint": text(found.get("fingerprint")),
        "fingerprints": mapping(found.get("fingerprints")),
        "used": [
            one if isinstance(one, str) else orjson.dumps(one).decode()
            for one in sequence(found.get("used"))
        ],
        "ignored": [
            {"part": text(one.get("part")), "why": text(one.get("why"))} for one in ignored
        ],
    }


def pruned(value: Any, levels: int = DEPTH) -> Any:
    """`value` without what lies deeper than `levels`."""
    if not isinstance(value, dict | list):
        return value
    if levels == 0:
        return "(deeper levels are left out)"
    if isinstance(value, dict):
        return {key: pruned(one, levels - 1) for key, one in value.items()}
    return [pruned(one, levels - 1) for one in value]


def _time(value: Any) -> Any:
    """A client's time as text; what cannot be a time stays as it came."""
    return times.iso_or_none(value) or value
