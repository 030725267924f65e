"""From chunks to maps: one bundle at a time, in a thread, while who sent it asks what became of it."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Annotated, Any

import structlog
from pydantic import BaseModel, ConfigDict, Field

from catchwater.connection import Refused, Unavailable
from stages.sourcemaps.bundle import pieces
from stages.sourcemaps.chunks import CHUNK, Chunks, Wrong
from stages.sourcemaps.keeping import keep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stages.sourcemaps.store import Store

log = structlog.get_logger()

BUNDLE = 512 * 2**20
"""Bytes of a bundle, packed."""

PATIENCE = 30.0
"""Seconds that a question waits for its answer; it is `assembling` then, and the question is asked again."""

REMEMBERED = 60.0
"""Seconds that an outcome is remembered at least, for who asks again because the answer was lost."""

JOBS = 100
"""Bundles that may be under way, or remembered."""

Sha1 = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
"""As chunks are named: checked here, because a chunk is a file of that name."""


class Order(BaseModel):
    """What sentry-cli asks for: make a bundle of these chunks, and keep what is in it for these projects."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    checksum: Sha1
    chunks: tuple[Sha1, ...] = Field(min_length=1, max_length=BUNDLE // CHUNK)
    projects: tuple[str, ...] = Field(min_length=1, max_length=20)
    version: str | None = Field(None, max_length=200)
    dist: str | None = Field(None, max_length=200)


@dataclass(slots=True)
class _Job:
    task: asyncio.Task[str]
    seen_done: float | None = None


class Assembler:
    """Bundles under way. To be used in one event loop."""

    def __init__(self, store: Store, chunks: Chunks, keep: float, patience: float = PATIENCE) -> None:
        """`keep`: the seconds that a map is kept."""
        self._store = store
        self._keep_for = keep
        self._chunks = chunks
        self._patience = patience
        self._jobs: dict[Order, _Job] = {}
        self._turn = asyncio.Lock()

    async def state(self, order: Order) -> dict[str, Any]:
        """How far an order is, as sentry-cli wants to hear it. Raises Wrong when there are too many."""
        job = self._jobs.get(order)
        if job is None:
            if missing := self._chunks.missing(order.chunks):
                return _told("not_found", missing=missing)
            self._make_room()
            job = self._jobs[order] = _Job(asyncio.create_task(self._make(order)))
        done, _ = await asyncio.wait({job.task}, timeout=self._patience)
        if not done:
            return _told("assembling")
        if why := job.task.result():
            if self._jobs.get(order) is job:
                del self._jobs[order]  # said once: who sends it again may fare better
            return _told("error", why)
        return _told("ok")

    def sweep(self, now: float | None = None) -> None:
        """Forget what nobody asks for any more: old chunks, and outcomes."""
        self._chunks.sweep()
        now = time.monotonic() if now is None else now
        for order, job in list(self._jobs.items()):
            if not job.task.done():
                continue
            job.seen_done = job.seen_done or now
            if now - job.seen_done > REMEMBERED:
                del self._jobs[order]

    async def close(self) -> None:
        """Give up what waits for its turn. The bundle in the thread is still kept: its thread is waited for at exit."""
        for job in self._jobs.values():
            job.task.cancel()
        await asyncio.gather(*(job.task for job in self._jobs.values()), return_exceptions=True)

    def _make_room(self) -> None:
        if len(self._jobs) >= JOBS:
            done = next((order for order, job in self._jobs.items() if job.task.done()), None)
            if done is None:
                raise Wrong(429, f"{JOBS} bundles are under way already: try again in a minute")
            del self._jobs[done]

    async def _make(self, order: Order) -> str:
        """Keep what is in a bundle. '' when it is done, else what is wrong with it. Raises nothing."""
        told = log.bind(checksum=order.checksum, projects=order.projects, release=order.version, dist=order.dist)
        try:
            async with self._turn:
                why = await asyncio.to_thread(self._keep, order, told)
        except (Wrong, Unavailable, Refused) as error:
            why = str(error)
        except Exception:  # noqa: BLE001 - a bundle nobody foresaw ends here, and no other with it
            told.exception("a bundle of source maps could not be read")
            why = "the bundle could not be read; the log of `catchwater sourcemaps serve` says why"
        else:
            self._chunks.drop(order.chunks)
        if why:
            told.warning("a bundle of source maps was refused", why=why)
        return why

    def _keep(self, order: Order, told: Any) -> str:
        counts = {"uploaded": 0, "there": 0, "skipped": 0, "refused": 0}
        refused = ""
        with tempfile.TemporaryFile() as file:
            self._join(order, file)
            self._store.prepare(self._keep_for)
            for piece in pieces(file):
                for project in order.projects:
                    outcome, what = keep(self._store, project, order.version or "", "~/", piece)
                    told.info("a file of a build", outcome=outcome, file=piece.file[:300], project=project, told=what)
                    counts[outcome] += 1
                    refused = refused or (f"{piece.file[:300]}: {what}" if outcome == "refused" else "")
        told.info("a bundle of source maps was read", **counts)
        if refused:
            return f"{counts['refused']} refused, the others are kept; the first: {refused}"
        return "" if counts["uploaded"] + counts["there"] else "there is no source map in the bundle"

    def _join(self, order: Order, file: IO[bytes]) -> None:
        try:
            found = self._chunks.join(order.chunks, file)
        except FileNotFoundError:
            raise Wrong(409, "a chunk of the bundle was removed before its turn came: upload again") from None
        if found != order.checksum:
            raise Wrong(400, f"the chunks together have the SHA-1 {found}, not {order.checksum}")


def _told(state: str, detail: str | None = None, missing: Sequence[str] = ()) -> dict[str, Any]:
    return {"state": state, "missingChunks": list(missing), "detail": detail}
