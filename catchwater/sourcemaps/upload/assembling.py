"""From chunks to maps: one bundle at a time, in a thread, while its sender polls for the
outcome.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Annotated, Any, NamedTuple

import structlog
from pydantic import BaseModel, ConfigDict, Field

from catchwater.errors import RefusedError, UnavailableError, UploadError
from catchwater.sourcemaps.lookup import awaited
from catchwater.sourcemaps.upload.bundle import artifacts, named_project
from catchwater.sourcemaps.upload.chunks import CHUNK, Chunks
from catchwater.sourcemaps.upload.map_reader import MapReader
from catchwater.sourcemaps.upload.store_artifact import OUTCOMES, Build, store_artifact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from catchwater.sourcemaps.store import MapStore

log = structlog.get_logger()

BUNDLE = 512 * 2**20
"""Bytes of a bundle, packed."""

BUDGET_S = 180.0
"""Seconds of CPU that the maps of one bundle may take: 300 MB of real ones do. Those that come
after it are stored, but not read.
"""

ANSWER_AFTER_S = 30.0
"""Seconds that a poll waits for the outcome; then it gets `assembling`, and the client polls
again.
"""

REMEMBERED_S = 60.0
"""Seconds that an outcome is stored at least, for a client whose response was lost."""

JOBS = 100
"""Bundles that may be under way, or remembered."""

Sha1 = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
"""As chunks are named: checked here, because a chunk is a file of that name."""


class Order(BaseModel):
    """A request of sentry-cli: make a bundle of these chunks, and store its maps for these
    projects.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    checksum: Sha1
    chunks: tuple[Sha1, ...] = Field(min_length=1, max_length=BUNDLE // CHUNK)
    projects: tuple[str, ...] = Field(min_length=1, max_length=20)
    version: str | None = Field(None, max_length=200)
    dist: str | None = Field(None, max_length=200)


class ReleaseOrder(Order):
    """The same of an older sentry-cli, whose bundle says itself which project it is for."""

    projects: tuple[str, ...] = Field((), max_length=0)


@dataclass(slots=True)
class _Job:
    task: asyncio.Task[str]
    seen_done: float | None = None


class _Stored(NamedTuple):
    """What is wrong with a bundle, and by what its maps are found."""

    why: str
    projects: Sequence[str]
    maps: Sequence[str]


class Assembler:
    """Bundles under way. To be used in one event loop."""

    def __init__(
        self,
        store: MapStore,
        chunks: Chunks,
        retention: timedelta,
        answer_after_s: float = ANSWER_AFTER_S,
        budget_s: float = BUDGET_S,
        project_id: Callable[[str], str] = str,
        stored: Callable[[str, Sequence[str]], None] = lambda _project, _maps: None,
    ) -> None:
        """`retention`: how long a map is stored. `budget_s`: seconds of CPU for a bundle.
        `project_id`: of the project that a bundle names, by id or by name; it raises UploadError
        where there is none. `stored` hears of each project that has new maps, and by what they are
        found (see `lookup.awaited`).
        """
        self._project_id = project_id
        self._store = store
        self._retention = retention
        self._stored = stored
        self._chunks = chunks
        self._answer_after_s = answer_after_s
        self._budget_s = budget_s
        self._jobs: dict[Order, _Job] = {}
        self._turn = asyncio.Lock()

    async def state(self, order: Order) -> dict[str, Any]:
        """How far an order is, as sentry-cli wants to hear it.

        Raises UploadError when there are too many.
        """
        job = self._jobs.get(order)
        if job is None:
            if missing := self._chunks.missing(order.chunks):
                return _answer("not_found", missing=missing)
            self._make_room()
            job = self._jobs[order] = _Job(asyncio.create_task(self._make(order)))
        done, _ = await asyncio.wait({job.task}, timeout=self._answer_after_s)
        if not done:
            return _answer("assembling")
        if why := job.task.result():
            if self._jobs.get(order) is job:
                del self._jobs[order]  # said once: who sends it again may fare better
            return _answer("error", why)
        return _answer("ok")

    def sweep(self, now: float | None = None) -> None:
        """Drop old chunks and old outcomes."""
        self._chunks.sweep()
        now = time.monotonic() if now is None else now
        for order, job in list(self._jobs.items()):
            if not job.task.done():
                continue
            job.seen_done = job.seen_done or now
            if now - job.seen_done > REMEMBERED_S:
                del self._jobs[order]

    async def close(self) -> None:
        """Cancel what waits for its turn.

        The bundle in the thread is still stored: the exit waits for it.
        """
        for job in self._jobs.values():
            job.task.cancel()
        await asyncio.gather(*(job.task for job in self._jobs.values()), return_exceptions=True)

    def _make_room(self) -> None:
        if len(self._jobs) >= JOBS:
            done = next((order for order, job in self._jobs.items() if job.task.done()), None)
            if done is None:
                raise UploadError(
                    429, f"{JOBS} bundles are under way already: try again in a minute"
                )
            del self._jobs[done]

    async def _make(self, order: Order) -> str:
        """Store the maps of a bundle.

        Returns '' when that is done, else what is wrong. Raises nothing.
        """
        bound = log.bind(
            checksum=order.checksum, projects=order.projects, release=order.version, dist=order.dist
        )
        try:
            async with self._turn:
                done = await asyncio.to_thread(self._store_maps, order, bound)
                why = done.why
        except (UploadError, UnavailableError, RefusedError) as error:
            why = str(error)
        except Exception:  # noqa: BLE001 - a bundle nobody foresaw ends here, and no other with it
            bound.exception("a bundle of source maps could not be read")
            why = "the bundle could not be read; the log of `catchwater sourcemaps serve` says why"
        else:
            self._chunks.drop(order.chunks)
            for project in done.projects if done.maps else ():
                self._stored(project, done.maps)
        if why:
            bound.warning("a bundle of source maps was refused", why=why)
        return why

    def _store_maps(self, order: Order, log: Any) -> _Stored:
        reader = MapReader(self._store.has_index, self._budget_s)
        counts = Counter(dict.fromkeys(OUTCOMES, 0))
        first: dict[str, str] = {}
        ids = set()
        with tempfile.TemporaryFile() as file, closing(reader):
            self._join(order, file)
            self._store.prepare(self._retention)
            projects = order.projects or (self._project_id(named_project(file, reader)),)
            started = time.thread_time()
            for artifact, project in ((a, p) for a in artifacts(file, reader) for p in projects):
                name = artifact.file[:300]
                build = Build(project, order.version or "", order.dist or "")
                outcome, text = store_artifact(self._store, build, artifact)
                log.info("a file", outcome=outcome, file=name, project=project, text=text)
                counts[outcome] += 1
                first.setdefault(outcome, f"{name}: {text}")
                ids.add(artifact.debug_id)
                reader.work_besides_s = time.thread_time() - started
        log.info("a bundle of source maps was read", **counts)
        some = counts["uploaded"] + counts["there"]
        maps = awaited(order.version or "", sorted(ids)) if some else []
        return _Stored(_said(counts, first), projects, maps)

    def _join(self, order: Order, file: IO[bytes]) -> None:
        try:
            found = self._chunks.join(order.chunks, file)
        except FileNotFoundError:
            raise UploadError(
                409, "a chunk of the bundle was removed before its turn came: upload again"
            ) from None
        if found != order.checksum:
            raise UploadError(
                400, f"the chunks together have the SHA-1 {found}, not {order.checksum}"
            )


def _said(counts: Counter[str], first: dict[str, str]) -> str:
    """What is wrong with the maps of a bundle; '' if nothing is."""
    wrong = [
        f"{counts[outcome]} {what}; the first: {first[outcome]}"
        for outcome, what in (("refused", "refused"), ("unread", "stored without an index"))
        if counts[outcome]
    ]
    if wrong:
        return "; ".join([*wrong, "the others are stored"])
    return "" if counts["uploaded"] + counts["there"] else "there is no source map in the bundle"


def _answer(state: str, detail: str | None = None, missing: Sequence[str] = ()) -> dict[str, Any]:
    return {"state": state, "missingChunks": list(missing), "detail": detail}
