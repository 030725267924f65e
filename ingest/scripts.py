"""What `GET /c/{key}.js` and its kin are answered: the snippet's files, cached for as long as
they stay the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from catchwater import surrogates
from ingest import content_negotiation, page_filters, responses, snippet

if TYPE_CHECKING:
    from catchwater.config.projects import Projects
    from ingest.snippet import Script

ALIAS = "public, no-transform, max-age=300, stale-while-revalidate=86400, stale-if-error=604800"
"""Five minutes; then for a day the old one at once and the new one in the background, for a
week if we are away.
"""
# no-transform: what a CDN minifies has another hash.
IMMUTABLE = "public, no-transform, max-age=31536000, immutable"


def answer(request: web.Request, projects: Projects, public_url: str) -> web.Response:
    """A file of the snippet for the project with the key in the address, 304, or an error that
    says why.
    """
    try:
        key, file, digest = snippet.named(request.match_info["name"])
    except ValueError:
        return responses.problem(
            404, f"there is no such script; known: {', '.join(map(_shown, snippet.FILES))}"
        )
    project = projects.by_key(key)
    if project is None or project.disabled:
        return responses.problem(404, "there is no project with this key")
    coding = content_negotiation.chosen(",".join(request.headers.getall("Accept-Encoding", ())))
    if coding is None:
        return responses.problem(
            406, f"Accept-Encoding refuses all of: {', '.join(content_negotiation.OURS)}"
        )
    fixed = project.ingest_url(public_url)
    script = _script(request, key, file, fixed)
    if digest != script.digest:  # the immutable script is the same whatever the filters
        script = _script(request, key, file, fixed, page_filters.literal(project.filters))
    return _sent(request, script, coding, digest, by_host=not fixed)


def _script(
    request: web.Request, key: str, file: str, fixed: str, filters: str = snippet.NO_FILTERS
) -> Script:
    """The script for the fixed address; else for the host and path of the request, which anybody
    may invent. An old key stays in it: its hash, which stands in pages, stays the same.
    """
    where = (
        fixed or f"{request.scheme}://{request.host}{request.rel_url.raw_path.rpartition('/c/')[0]}"
    )
    endpoint = surrogates.replaced(f"{where}/e/{key}")
    return snippet.script(file, endpoint, snippet.BEST if fixed else snippet.QUICK, filters)


def _sent(
    request: web.Request, script: Script, coding: str, digest: str, *, by_host: bool
) -> web.Response:
    tag = f"{script.digest}-{coding}"  # a strong tag names bytes, and each coding has its own
    headers = {
        "ETag": f'"{tag}"',
        "Cache-Control": IMMUTABLE
        if digest == script.digest
        else ALIAS,  # an old digest: whatever is current
        "Vary": "Accept-Encoding, Host" if by_host else "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if any(known.value in (tag, "*") for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    if coding != "identity":
        headers["Content-Encoding"] = coding
    return web.Response(
        body=script.bodies[coding], content_type="text/javascript", charset="utf-8", headers=headers
    )


def _shown(file: str) -> str:
    return snippet.path("KEY", file)
