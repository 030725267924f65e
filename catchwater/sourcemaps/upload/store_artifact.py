"""What becomes of a file that somebody uploads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catchwater.sourcemaps.store import MapStore, StoredMap, sha_of
from catchwater.sourcemaps.upload.indexing import index_of

if TYPE_CHECKING:
    from catchwater.sourcemaps.scope_reader import ScopeReader
    from catchwater.sourcemaps.upload.folder import Artifact


@dataclass(frozen=True, slots=True)
class Build:
    """What files are uploaded for. `url_prefix`, which begins with `~/`, is where they are
    served. `dist` tells several builds of one release apart.
    """

    project: str
    release: str = ""
    dist: str = ""
    url_prefix: str = "~/"


def store_artifact(
    store: MapStore, reader: ScopeReader, build: Build, artifact: Artifact
) -> tuple[str, str]:
    """Store a map, if it is one, with the functions that `reader` finds in its sources.

    Returns the outcome (`uploaded`, `there`, `skipped` or `refused`) and a sentence about it.
    Raises UnavailableError while MongoDB is away, SourceUnreadableError where no parser starts.
    """
    if artifact.why:
        return ("refused" if artifact.broken else "skipped"), artifact.why
    if not build.release and not artifact.debug_id:
        return "refused", "it has no debug id, and no release is given"
    path = f"{build.url_prefix.rstrip('/')}/{artifact.path}"
    stored = StoredMap(
        project=build.project,
        release=build.release,
        path=path,
        debug_id=artifact.debug_id,
        sha=sha_of(artifact.raw),
        size=len(artifact.raw),
        mappings=artifact.mappings,
        dist=build.dist,
    )
    if not store.has_index(stored.sha):  # before the map: who finds the map finds its index
        store.put_index(stored.sha, index_of(artifact.raw, reader).packed())
    is_new = store.put(stored, artifact.raw)
    return ("uploaded" if is_new else "there"), _sentence(path, artifact)


def _sentence(path: str, artifact: Artifact) -> str:
    parts = [path, f"{len(artifact.raw):,} bytes"]
    if artifact.debug_id:
        parts.append(f"debug id {artifact.debug_id}")
    if not artifact.has_sources:
        parts.append(
            "without the text of its sources: neither lines of source nor names of functions can "
            "be shown"
        )
    return ", ".join(parts)
