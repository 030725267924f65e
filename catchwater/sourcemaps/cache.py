"""The maps as the fingerprint stage has them: those it used last in memory, all others in
MongoDB.

What MongoDB said is believed until an upload changes it, which a thread asks for every few seconds:
so a project without maps costs no question at all, and an unknown script one question, not one for
each event.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

import structlog

from catchwater import metrics
from catchwater.errors import InvalidSourceMapError, RefusedError, UnavailableError
from catchwater.sourcemaps.function_index import FunctionIndex
from catchwater.sourcemaps.lookup import (
    NOT_PARSABLE,
    NOT_UPLOADED,
    OTHER_DIST,
    OTHER_RELEASE,
    TOO_LARGE,
)
from catchwater.sourcemaps.lru import LruCache
from catchwater.sourcemaps.positions import (
    LARGEST,
    PLACES,
    Map,
    Places,
    number_of_texts,
    weight,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from catchwater.sourcemaps.store import FoundMaps, StoredMap

log = structlog.get_logger()

LOOK_AGAIN_S = 3.0
"""Seconds until an upload is seen."""

MOST_MAPS = 32
"""Maps that one event may need. Each costs two questions to MongoDB, or the memory for many."""

ANSWERS = 20_000
"""Results of MongoDB in memory, about 300 bytes each."""


class Archive(Protocol):
    """Where the maps are: `store.Store`. Every method raises UnavailableError while it is away."""

    def projects(self) -> Mapping[str, datetime]: ...
    def find(
        self,
        project: str,
        release: str,
        paths: Sequence[str],
        debug_ids: Sequence[str],
        dist: str = "",
    ) -> FoundMaps: ...
    def read(self, sha: str, largest: int) -> bytes | None: ...
    def read_index(self, sha: str) -> bytes | None: ...


class MapCache:
    """Maps for the stage.

    `memory` is the bound in bytes on parsed maps; one that is larger alone is not used.
    """

    def __init__(self, archive: Archive, memory: int) -> None:
        self._archive = archive
        self._projects: Mapping[str, datetime] | None = None
        self._answers: LruCache[StoredMap | str] = LruCache(ANSWERS)
        self._maps: LruCache[Map | str] = LruCache(memory)
        self._places: Places = LruCache(PLACES)
        self._stopped = threading.Event()

    def knows(self, project: str) -> bool:
        return self._projects is not None and project in self._projects

    def find(
        self, project: str, release: str, wanted: Mapping[str, str], dist: str = ""
    ) -> dict[str, Map | str]:
        """What `resolve.Maps` says: of the first ones of `wanted` that are within the bounds.

        Raises UnavailableError for what is not in memory while MongoDB is away.
        """
        changed = self._projects.get(project) if self._projects else None
        keys = {
            path: (project, changed, release, dist, path, debug_id)
            for path, debug_id in wanted.items()
        }
        answers = {path: self._answers.get(key) for path, key in keys.items()}
        unknown = {path: wanted[path] for path, answer in answers.items() if answer is None}
        if unknown:
            ids = [debug_id for debug_id in unknown.values() if debug_id]
            found = self._archive.find(project, release, list(unknown), ids, dist)
            for path, debug_id in unknown.items():
                answers[path] = _answer(found, path, debug_id)
                self._answers.put(keys[path], answers[path] or NOT_UPLOADED)
        few = self._few({path: answer or NOT_UPLOADED for path, answer in answers.items()})
        return {path: self._usable(answer) for path, answer in few.items()}

    def look(self) -> None:
        """Read which projects have maps, and when they changed.

        While MongoDB is away the last result stays.
        """
        try:
            found = self._archive.projects()
        except (UnavailableError, RefusedError) as error:
            if self._projects is None:
                log.warning(
                    "not known which projects have source maps; frames stay as they are",
                    why=str(error),
                )
                self._projects = {}
            return
        self._projects = found
        metrics.MAPS_SEEN.set(max((changed.timestamp() for changed in found.values()), default=0.0))

    def watch(self) -> None:
        """Look again and again, in a thread that ends with the process, or by `close`."""
        threading.Thread(target=self._watch, name="source maps", daemon=True).start()

    def close(self) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_AGAIN_S):
            self.look()

    def _few(self, answers: Mapping[str, StoredMap | str]) -> dict[str, StoredMap | str]:
        """As many maps as fit into memory together, in order: whatever scripts an event names, it
        costs no more than one large map does. Which ones does not depend on what is in memory, so
        the same error has the same frames each time.
        """
        taken: dict[str, int] = {}
        few = dict(answers)
        for path, answer in answers.items():
            if isinstance(answer, str) or answer.sha in taken:
                continue
            heavy = weight(answer.size, answer.mappings)
            if len(taken) < MOST_MAPS and sum(taken.values()) + heavy <= self._maps.bound:
                taken[answer.sha] = heavy
            else:
                few[path] = TOO_LARGE
        return few

    def _usable(self, answer: StoredMap | str) -> Map | str:
        if isinstance(answer, str):
            return answer
        known = self._maps.get(answer.sha)
        if known is None:
            known = self._read(answer)
            if known == NOT_UPLOADED:
                return known
            self._maps.put(answer.sha, known, known.weight if isinstance(known, Map) else 1_000)
        return known

    def _read(self, stored: StoredMap) -> Map | str:
        """Parse a map, once; its text is not stored."""
        expected = weight(stored.size, stored.mappings)
        if stored.size > LARGEST or expected > self._maps.bound:
            return TOO_LARGE
        self._maps.make_room(expected)
        raw = self._archive.read(stored.sha, LARGEST)
        if raw is None:
            return NOT_UPLOADED
        expected = weight(stored.size, stored.mappings, number_of_texts(raw))
        if expected > self._maps.bound:
            return TOO_LARGE
        self._maps.make_room(expected)
        try:
            found = Map(raw, self._index(stored.sha), self._places)
        except InvalidSourceMapError as error:
            log.warning(
                "a source map cannot be used",
                path=stored.path,
                release=stored.release,
                why=str(error),
            )
            return NOT_PARSABLE
        return found if found.weight <= self._maps.bound else TOO_LARGE

    def _index(self, sha: str) -> FunctionIndex | None:
        packed = self._archive.read_index(sha)
        return None if packed is None else FunctionIndex.unpacked(packed)


def _answer(found: FoundMaps, path: str, debug_id: str) -> StoredMap | str:
    stored = found.map_of(path, debug_id)
    if stored is not None:
        return stored
    if path in found.other_dists:
        return OTHER_DIST
    return OTHER_RELEASE if path in found.elsewhere else NOT_UPLOADED
