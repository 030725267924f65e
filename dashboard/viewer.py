"""Who asks, and how much is shown to them."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who may read. `name`: as a proxy calls a person, or ''. `project`: of this one only;
    '': of all.
    """

    name: str = ""
    project: str = ""


VIEWER = web.RequestKey("viewer", Viewer)
