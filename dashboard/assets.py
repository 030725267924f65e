"""The dashboard's own files for browsers: read once, named by their content, so that browsers
may cache them for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from importlib.resources import files

from aiohttp import web

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    body: bytes
    version: str

    @property
    def url(self) -> str:
        return f"/static/{self.name}?v={self.version}"


def _read() -> dict[str, Asset]:
    folder = files("dashboard") / "static"
    found = {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}
    return {
        name: Asset(name, body, blake2b(body, digest_size=6).hexdigest())
        for name, body in found.items()
    }


ASSETS = _read()

VERSION = "".join(asset.version for asset in ASSETS.values())
"""Changes when any of the files does."""


def url(name: str) -> str:
    """The address of the file `name`. Raises KeyError when there is none."""
    return ASSETS[name].url


async def serve(request: web.Request) -> web.Response:
    asset = ASSETS.get(request.match_info["name"])
    if asset is None:
        raise web.HTTPNotFound
    kind = _TYPES[asset.name.rpartition(".")[2]]
    response = web.Response(body=asset.body, content_type=kind, charset="utf-8", headers=_FOREVER)
    response.enable_compression()
    return response
