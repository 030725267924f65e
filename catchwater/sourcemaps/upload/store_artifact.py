"""What becomes of a file that somebody uploads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catchwater.sourcemaps.store import MapStore, StoredMap, sha_of

if TYPE_CHECKING:
    from catchwater.sourcemaps.upload.folder import Artifact


OUTCOMES = ("uploaded", "there", "skipped", "refused", "unread")


@dataclass(frozen=True, slots=True)
class Build:
    """What files are uploaded for. `url_prefix`, which begins with `~/`, is where they are
    served. `dist` tells several builds of one release apart.
    """

    project: str
    release: str = ""
    dist: str = ""
    url_prefix: str = "~/"


def store_artifact(store: MapStore, build: Build, artifact: Artifact) -> tuple[str, str]:
    """Store a map, if it is one, with its index.

    Returns the outcome (`uploaded`, `there`, `unread`, `skipped` or `refused`) and a sentence about
    it. Raises UnavailableError while MongoDB is away.
    """
    if artifact.why:
        return ("refused" if artifact.broken else "skipped"), artifact.why
    if not build.release and not artifact.debug_id:
        return "refused", "it has no debug id, and no release is given"
    path, found = f"{build.url_prefix.rstrip('/')}/{artifact.path}", artifact.found
    sha = sha_of(found.raw)
    one = StoredMap(
        project=build.project,
        release=build.release,
        path=path,
        debug_id=artifact.debug_id,
        sha=sha,
        size=len(found.raw),
        mappings=found.mappings,
        dist=build.dist,
        unread=found.unread,
    )
    if found.index:  # before the map: who finds the map finds its index
        store.put_index(sha, found.index)
    is_new = store.put(one, found.raw)
    outcome = "unread" if found.unread else "uploaded" if is_new else "there"
    return outcome, _sentence(path, artifact)


def _sentence(path: str, artifact: Artifact) -> str:
    found = artifact.found
    parts = [path, f"{len(found.raw):,} bytes"]
    if artifact.debug_id:
        parts.append(f"debug id {artifact.debug_id}")
    if found.unread:
        parts.append(f"stored, but no frame is mapped by it: {found.unread}")
    elif not found.has_sources:
        parts.append(
            "without the text of its sources: neither lines of source nor names of functions can "
            "be shown"
        )
    return ", ".join(parts)
