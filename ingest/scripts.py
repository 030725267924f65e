"""What `GET /c/{key}.js` and its kin are answered: the snippet's files, cached for as long as they stay the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from catchwater import addresses
from ingest import answers, codings, documents, snippet

if TYPE_CHECKING:
    from catchwater.projects import Project, Projects
    from ingest.snippet import Script

ALIAS = "public, no-transform, max-age=300, stale-while-revalidate=86400, stale-if-error=604800"
"""Five minutes; then for a day the old one at once and the new one in the background, for a week if we are away."""
# no-transform: what a CDN minifies has another hash.
IMMUTABLE = "public, no-transform, max-age=31536000, immutable"


def answer(request: web.Request, projects: Projects, public_url: str) -> web.Response:
    """A file of the snippet for the project whose key is asked for, 304, or a sentence that says why not."""
    try:
        key, file, digest = snippet.named(request.match_info["name"])
    except ValueError:
        return answers.problem(404, f"there is no such script; known: {', '.join(map(_shown, snippet.FILES))}")
    project = projects.by_key(key)
    if project is None or project.disabled:
        return answers.problem(404, "there is no project with this key")
    coding = codings.chosen(",".join(request.headers.getall("Accept-Encoding", ())))
    if coding is None:
        return answers.problem(406, f"Accept-Encoding refuses all of: {', '.join(codings.OURS)}")
    fixed = addresses.of_project(project, public_url)
    return _sent(request, _script(request, project, file, fixed), coding, digest, by_host=not fixed)


def _script(request: web.Request, project: Project, file: str, fixed: str) -> Script:
    """For the fixed address; or for the host and the path that the page asked at, which anybody may make up."""
    where = fixed or f"{request.scheme}://{request.host}{request.rel_url.raw_path.rpartition('/c/')[0]}"
    endpoint = documents.whole(f"{where}/e/{project.key}")
    return snippet.script(file, endpoint, snippet.BEST if fixed else snippet.QUICK)


def _sent(request: web.Request, script: Script, coding: str, digest: str, *, by_host: bool) -> web.Response:
    tag = f"{script.digest}-{coding}"  # a strong tag names bytes, and each coding has its own
    headers = {
        "ETag": f'"{tag}"',
        "Cache-Control": IMMUTABLE if digest == script.digest else ALIAS,  # an old digest: whatever is current
        "Vary": "Accept-Encoding, Host" if by_host else "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if any(known.value in (tag, "*") for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    if coding != "identity":
        headers["Content-Encoding"] = coding
    return web.Response(body=script.bodies[coding], content_type="text/javascript", charset="utf-8", headers=headers)


def _shown(file: str) -> str:
    return snippet.path("KEY", file)
