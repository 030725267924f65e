"""What becomes of a file that somebody uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.sourcemaps.store import Named, Store, name_of

if TYPE_CHECKING:
    from stages.sourcemaps.folder import Piece


def keep(store: Store, project: str, release: str, url_prefix: str, piece: Piece) -> tuple[str, str]:
    """Keep a map, if it is one: what became of the file in a word, `uploaded`, `there`, `skipped` or `refused`, and in
    a sentence. `url_prefix` begins with `~/`. Raises Unavailable while MongoDB is away.
    """
    if piece.why:
        return ("refused" if piece.broken else "skipped"), piece.why
    if not release and not piece.debug_id:
        return "refused", "it has no debug id, and no release is given"
    path = f"{url_prefix.rstrip('/')}/{piece.path}"
    sha = name_of(piece.raw)
    fresh = store.put(Named(project, release, path, piece.debug_id, sha, len(piece.raw), piece.mappings), piece.raw)
    told = f"{path}, {len(piece.raw):,} bytes" + f", debug id {piece.debug_id}" * bool(piece.debug_id)
    if not piece.has_sources:
        told += ", without the text of its sources: neither lines of source nor names of functions can be shown"
    return ("uploaded" if fresh else "there"), told
