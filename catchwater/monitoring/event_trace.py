"""Where an event is, or how it ended, from what was found of it. Pure.

What cannot be known is said, too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.streams.marks import MetMark

WAITING, PENDING, DONE = "waiting", "pending", "done"


@dataclass(frozen=True, slots=True)
class Copy:
    """An entry of the event in a stream, and how far one of the stream's stages is with it.

    `before`: unread entries before a waiting one, in its partition. `issue` is '' until the first
    stage has decided it.
    """

    stream: str
    entry: str
    stage: str
    state: str
    project: str
    issue: str
    before: int = 0
    consumer: str = ""
    idle_s: float = 0.0
    deliveries: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The event as a dead letter. `id` is what `catchwater dead show` takes."""

    id: str
    stage: str
    why: str
    tries: int
    project: str
    issue: str


@dataclass(frozen=True, slots=True)
class Sample:
    """The event as it is stored in MongoDB."""

    id: str
    project: str
    issue: str


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that was found of an event.

    `unseen` names streams that have more entries than were looked at. `samples` is None while
    MongoDB does not answer. `dropped` are totals of the whole partition.
    """

    event_id: str
    tag: str
    copies: list[Copy] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    met: list[MetMark] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    samples: list[Sample] | None = None

    @property
    def known(self) -> bool:
        """Whether there is any trace of it."""
        return bool(self.copies or self.dead or self.met or self.samples)

    @property
    def issues(self) -> list[str]:
        """The issues that its copies and samples name: more than one where projects share ids."""
        found = (one.issue for one in (*self.copies, *self.dead, *(self.samples or ())))
        return sorted(set(found) - {""})


def as_json(trace: Trace, defs: StreamDefs) -> dict[str, Any]:
    """The trace, what follows from it, and what cannot be known."""
    said = {"conclusions": conclusions(trace, defs), "unknown": unknown(trace, defs)}
    return {**asdict(trace), "issues": trace.issues, **said}


def conclusions(trace: Trace, defs: StreamDefs) -> list[str]:
    """Where the event is and how it ended, a sentence each, the end last."""
    found = [_of_copy(one) for one in trace.copies if one.state != DONE]
    found += [
        f"{one.stage} rejected it after {one.tries} deliveries: it is the dead letter {one.id}"
        for one in trace.dead
    ]
    if trace.met:
        found.append(f"{_met(trace)}: every further copy is a duplicate")
    found += [
        f"It is stored whole, as a sample of the issue {one.issue}" for one in _samples(trace)
    ]
    if trace.met and not _samples(trace) and not _on_the_way(trace, defs):
        found.append(_counted(trace))
    elif dropped := _dropped(trace, defs):
        found.append(dropped)
    return found or ["There is no trace of it"]


def unknown(trace: Trace, defs: StreamDefs) -> list[str]:
    """What was not looked at or is not recorded, a sentence each."""
    found = [
        f"{name} has more entries than were looked at (--most): it may be among them"
        for name in trace.unseen
    ]
    if trace.samples is None:
        found.append("MongoDB does not answer: whether it is stored is not known")
    elif trace.met and not trace.issues:
        found.append("only samples and events on their way remember their issue")
    if not trace.known:
        found += _nowhere(trace, defs)
    return found


def _of_copy(one: Copy) -> str:
    if one.state == WAITING:
        return (
            f"It waits in {one.stream} for {one.stage}, {one.before:,} unread before it in its "
            f"partition"
        )
    return (
        f"{one.stage} works on it: pending for {one.consumer!r} since {one.idle_s:.1f} s, "
        f"delivery {one.deliveries}"
    )


def _met(trace: Trace) -> str:
    first, last = trace.met[0], trace.met[-1]
    since, until = f"{first.since:%Y-%m-%d %H:%M}", f"{last.until:%Y-%m-%d %H:%M}"
    return f"{first.stage} passed it on between {since} and {until} UTC"


def _counted(trace: Trace) -> str:
    where = f" in the issue {' and '.join(trace.issues)}" if trace.issues else ""
    return f"It is counted{where}, and no sample of it is stored"


def _on_the_way(trace: Trace, defs: StreamDefs) -> bool:
    """Whether it was met and is not counted yet: it waits, or was rejected, before the count."""
    behind = _path_after(trace.met[0].stage, defs)
    unfinished = {one.stage for one in trace.copies if one.state != DONE}
    return bool(behind & (unfinished | {one.stage for one in trace.dead}))


def _path_after(stage: str, defs: StreamDefs) -> set[str]:
    path = defs.counting_path
    return set(path[path.index(stage) + 1 :]) if stage in path else set()


def _dropped(trace: Trace, defs: StreamDefs) -> str:
    """A stage before the count is done with it, and there is no later trace; '' if it is not so."""
    if trace.met or trace.dead or trace.samples or not trace.copies:
        return ""
    last = trace.copies[-1]
    if last.state != DONE or last.stage not in defs.counting_path:
        return ""
    return f"{last.stage} dropped it{_reasons(trace, last.stage)}"


def _reasons(trace: Trace, stage: str) -> str:
    own = [f"{n:,} {name}" for name, n in trace.dropped.items() if name.startswith(f"{stage}: ")]
    return f"; so far it dropped, in this partition, {', '.join(own)}" if own else ""


def _nowhere(trace: Trace, defs: StreamDefs) -> Iterator[str]:
    horizons = [str(one.once_for) for one in defs.stages.values() if one.once_for]
    yield (
        f"what ended more than {' or '.join(horizons) or 'a moment'} ago, and is no sample, has "
        "left no trace"
    )
    yield "it may be in the spool of an ingest process, or have been refused: see ingest's log"
    if trace.dropped:
        reasons = ", ".join(f"{name} {n:,}" for name, n in trace.dropped.items())
        yield f"which events were dropped is not recorded; in its partition so far: {reasons}"


def _samples(trace: Trace) -> list[Sample]:
    return trace.samples or []
