"""Opens the maps for a stage, if this installation can."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from stages.sourcemaps.kept import KeptMaps

log = structlog.get_logger()


def opened(mongo_url: str, megabytes: int) -> KeptMaps | None:
    """The maps in a MongoDB, which need not be there yet. None, and a line in the log, without the extra."""
    try:
        kept, store = (importlib.import_module(f"stages.sourcemaps.{name}") for name in ("kept", "store"))
    except ModuleNotFoundError as error:
        log.info("source maps are off: pip install 'catchwater[sourcemaps]'", missing=error.name)
        return None
    found: KeptMaps = kept.KeptMaps(store.Store(mongo_url), megabytes * 2**20)
    return found
