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
from catchwater.errors import RefusedError, UnavailableError
from catchwater.sourcemaps.index_cache import IndexArchive, IndexCache
from catchwater.sourcemaps.lookup import (
    NOT_READ,
    NOT_UPLOADED,
    OTHER_DIST,
    OTHER_RELEASE,
    TOO_MANY,
)
from catchwater.sourcemaps.lru import LruCache

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from catchwater.sourcemaps.positions import Map
    from catchwater.sourcemaps.store import FoundMaps, StoredMap

log = structlog.get_logger()

LOOK_AGAIN_S = 3.0
"""Seconds until an upload is seen."""

MOST_MAPS = 32
"""Maps that one event may need. Each costs two questions to MongoDB."""

ANSWERS = 20_000
"""Results of MongoDB in memory, about 300 bytes each."""


class Archive(IndexArchive, Protocol):
    """Where the maps are: `store.MapStore`.

    Every method raises UnavailableError while it is away.
    """

    def projects(self) -> Mapping[str, datetime]: ...
    def find(
        self,
        project: str,
        release: str,
        paths: Sequence[str],
        debug_ids: Sequence[str],
        dist: str = "",
    ) -> FoundMaps: ...


class MapCache:
    """Maps for the stage.

    `memory` is the bound in bytes on what is read of maps.
    """

    def __init__(self, archive: Archive, memory: int) -> None:
        self._archive = archive
        self._projects: Mapping[str, datetime] | None = None
        self._answers: LruCache[StoredMap | str] = LruCache(ANSWERS)
        self._indexes = IndexCache(archive, memory)
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
        return self._usable({path: answer or NOT_UPLOADED for path, answer in answers.items()})

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

    def _usable(self, answers: Mapping[str, StoredMap | str]) -> dict[str, Map | str]:
        """The maps of an event, in order, and no more than it may need: whatever scripts it names.
        Which ones does not depend on what is in memory, so the same error has the same frames each
        time.
        """
        stored = {path: one for path, one in answers.items() if not isinstance(one, str)}
        readable = dict.fromkeys(one.sha for one in stored.values() if not one.unread)
        maps = self._indexes.maps(list(readable)[:MOST_MAPS])
        found: dict[str, Map | str] = {
            path: one for path, one in answers.items() if isinstance(one, str)
        }
        for path, one in stored.items():
            found[path] = maps.get(one.sha, TOO_MANY) if not one.unread else NOT_READ
        return found


def _answer(found: FoundMaps, path: str, debug_id: str) -> StoredMap | str:
    stored = found.map_of(path, debug_id)
    if stored is not None:
        return stored
    if path in found.other_dists:
        return OTHER_DIST
    return OTHER_RELEASE if path in found.elsewhere else NOT_UPLOADED
