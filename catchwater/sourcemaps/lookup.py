"""How the fingerprint stage looks up source maps, and why a frame may have none. Needs no extra."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from catchwater.sourcemaps.positions import Map

NOT_UPLOADED = "not uploaded"
OTHER_RELEASE = "other release"
OTHER_DIST = "other dist"
NOT_READ = "not readable within limits"
NO_INDEX = "no index"
TOO_MANY = "too many maps"


class Maps(Protocol):
    """Where source maps are looked up: `cache.MapCache`."""

    def knows(self, project: str) -> bool:
        """Whether the project has any map. Called for each event: it costs nothing."""
        ...

    def find(
        self, project: str, release: str, wanted: Mapping[str, str], dist: str = ""
    ) -> Mapping[str, Map | str]:
        """For each script of `wanted` (path to debug id, or ''), its map, or why there is none.
        `dist` tells several builds of one release apart.

        Raises UnavailableError while MongoDB is away.
        """
        ...


def awaited(release: str, debug_ids: Iterable[str]) -> list[str]:
    """By what maps are found that are not there yet: samples say it, and uploads ask for it."""
    of_release = [f"release:{release}"] if release else []
    return [*of_release, *(f"debug_id:{one}" for one in dict.fromkeys(debug_ids) if one)]


@lru_cache(maxsize=2048)
def path_of(file: str) -> str:
    """`https://cdn7.example/static/app.js?v=3` is `~/static/app.js` on any host, as in Sentry."""
    address = file.partition("#")[0].partition("?")[0]
    _, found, rest = address.partition("://")
    path = rest.partition("/")[2] if found else address
    return "~/" + unquote(path).lstrip("/").removeprefix("~/")
