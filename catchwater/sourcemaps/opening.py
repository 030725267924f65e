"""Opens the maps for a stage, if this installation can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from catchwater.sourcemaps.cache import MapCache

log = structlog.get_logger()


def open_maps(mongo_url: str, megabytes: int) -> MapCache | None:
    """The maps in a MongoDB, which need not be there yet, looked for again every few seconds.

    None, and a line in the log, where the extra `sourcemaps` is not installed.
    """
    try:
        from catchwater.sourcemaps.cache import MapCache  # noqa: PLC0415 - an extra
        from catchwater.sourcemaps.store import MapStore  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        log.info("source maps are off: pip install 'catchwater[sourcemaps]'", missing=error.name)
        return None
    maps = MapCache(MapStore(mongo_url), megabytes * 2**20)
    maps.look()
    maps.watch()
    return maps
