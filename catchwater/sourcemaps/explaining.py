"""Why a frame finds its map, or why it does not: what the stage does, told step by step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catchwater.sourcemaps.index_cache import IndexCache
from catchwater.sourcemaps.lookup import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catchwater.sourcemaps.store import MapStore, StoredMap

_POSITION = re.compile(r"(.+?):(\d{1,9}):(\d{1,9})\Z")

MEMORY = 32 * 2**20

NAMED = 5
"""Maps, releases and sources that are told by name."""


@dataclass(frozen=True, slots=True)
class Question:
    """A script of a project's page; `line` and `column` count from 1, 0 for the map alone."""

    project: str
    release: str
    address: str
    debug_id: str = ""
    line: int = 0
    column: int = 0
    dist: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """`mapped`: the frame would be one of the source."""

    lines: list[str]
    mapped: bool


def question(project: str, release: str, address: str, debug_id: str, dist: str = "") -> Question:
    """`address` may end in `:line:column`, as in a stack."""
    found = _POSITION.match(address)
    if found is None:
        return Question(project, release, address, debug_id, dist=dist)
    line, column = int(found[2]), int(found[3])
    return Question(project, release, found[1], debug_id, line, column, dist)


def explain(store: MapStore, asked: Question) -> Explanation:
    """Raises UnavailableError while MongoDB is away."""
    path = path_of(asked.address)
    wanted = f"{path} of {_release(asked.release, asked.dist)}"
    if asked.debug_id:
        wanted = f"debug id {asked.debug_id}, or else {wanted}"
    lines = [f"looked up: {wanted}"]
    ids = [asked.debug_id] if asked.debug_id else []
    found = store.find(asked.project, asked.release, [path], ids, asked.dist)
    stored = found.map_of(path, asked.debug_id)
    if stored is None:
        return Explanation([*lines, *_why_not(store, asked, path)], mapped=False)
    lines.append(f"found: {_named(stored)}, {stored.size:,} bytes, {stored.mappings:,} mappings")
    told, mapped = _read(store, stored, asked)
    return Explanation([*lines, *told], mapped)


def _read(store: MapStore, stored: StoredMap, asked: Question) -> tuple[list[str], bool]:
    if stored.unread:
        return [f"it cannot be used: {stored.unread}"], False
    one = IndexCache(store, MEMORY).maps([stored.sha])[stored.sha]
    if isinstance(one, str):
        return [f"it cannot be used: {one}; upload it again"], False
    told = [_sources(one.facts)]
    if not asked.line:
        return told, True
    (place,) = one.places([(asked.line, asked.column)]).values()
    where = f"line {asked.line}, column {asked.column}"
    if isinstance(place, str):
        return [*told, f"{where}: {place}; is the map of this very build?"], False
    function = f"in {place.function}" if place.function else place.unnamed or "in no function"
    ignored = ", which the map says to pass over" if place.ignored else ""
    return [*told, f"{where}: {place.file}:{place.line}:{place.column}, {function}{ignored}"], True


def _sources(facts: dict[str, Any]) -> str:
    told = f"{facts['sources']} sources"
    for name, what in (
        ("without", "without their text"),
        ("unread", "whose functions could not be read"),
    ):
        count, names = facts[name]
        if count:
            told += f"; {what}: {_few(names, count - len(names))}"
    return told


def _why_not(store: MapStore, asked: Question, path: str) -> Iterator[str]:
    """What is stored that is nearest to it."""
    known = list(store.listed(asked.project))
    if not known:
        yield f"not found: project {asked.project} has no maps at all"
        return
    yield f"not found: {len(known)} maps of project {asked.project} are stored"
    if releases := [_release(one.release, one.dist) for one in known if one.path == path]:
        same = "release and dist" if any(one.dist for one in known) else "release"
        yield f"that path has maps of {_few(releases)}: the page must report the same {same}"
    own = [one for one in known if one.release == asked.release]
    name = path.rpartition("/")[2]
    named = [one.path for one in own if one.path.rpartition("/")[2] == name]
    if named and path not in named:
        yield f"a script of that name is at {_few(named)}: is --url-prefix right?"
    elif own:
        yield f"{_release(asked.release)} has {_few([one.path for one in own])}"
    else:
        stored = _few([_named(one) for one in known])
        yield f"{_release(asked.release)} has none; there are {stored}"


def _named(one: StoredMap) -> str:
    told = f"{one.path} of {_release(one.release, one.dist)}"
    return f"{told}, debug id {one.debug_id}" if one.debug_id else told


def _release(name: str, dist: str = "") -> str:
    told = f"release {name}" if name else "no release"
    return f"{told}, dist {dist}" if dist else told


def _few(names: list[str], besides: int = 0) -> str:
    different = list(dict.fromkeys(names))
    more = max(0, len(different) - NAMED) + besides
    return ", ".join(different[:NAMED]) + (f" and {more} more" if more > 0 else "")
