"""A model of how Catchwater counts: dedupe and count use the gated commit, the sink writes and
then commits.

One partition, one issue. Atomic steps are an XADD, a read, a claim, a commit (one Lua call) and a
write to MongoDB. Between any two of them a worker may be killed, another worker may claim the
entries of a live one, the client may send again, the tally bucket may expire, and Redis may fall
back, once, to a consistent earlier state (a replica, or its log on disk).

The model assumes four things. A fall-back loses no input: it is to a state after the last XADD. It
does not undo an expiry, because Redis stores it as an absolute time. What it undoes is counted
again before the bucket expires. A Redis that has lost everything (FLUSHALL) starts a new epoch,
with another name. A backup that is older than a bucket's TTL, or stages that stand still for that
long right after a fall-back, can count events twice: docs/guarantees.md says so, and `backup` below
shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

Entries = tuple[int, ...]
Tallies = tuple[tuple[int, int], ...]
Hand = tuple[str, Entries, Tallies]
"""A phase, its entries, and the tallies that the sink has read in them.

The sink may write those after Redis has fallen back.
"""


@dataclass(frozen=True)
class Rules:
    """The algorithm, and ways to get it wrong."""

    gate: bool = True
    """Effects only where XACK returned 1."""
    maximum: bool = True
    """The sink writes $max; else it adds up."""
    bump: bool = True
    """A bucket that is created anew starts a new part."""
    mark_in_gate: bool = True
    """The mark is set in the commit; else when the entry is read, as a cache would."""


@dataclass(frozen=True)
class Group:
    """A stream's consumer group: how far it has read, and what is pending."""

    read: int = 0
    pending: frozenset[int] = frozenset()

    def acknowledged(self, entry: int) -> Group:
        return replace(self, pending=self.pending - {entry})


@dataclass(frozen=True)
class Redis:
    """Everything that falls back together."""

    raw: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    counted: Tallies = ()
    """Tallies: part and N so far."""
    marks: frozenset[str] = frozenset()
    bucket: tuple[int, int, int] | None = None
    """The age it was last touched in, its part, N."""
    generation: int = 0
    dedupe: Group = Group()
    count: Group = Group()
    sink: Group = Group()


@dataclass(frozen=True)
class World:
    redis: Redis = Redis()
    mongo: Tallies = ()
    """What is stored, by part."""
    hands: tuple[tuple[Hand, ...], ...] = ((), (), ())
    """What the workers of dedupe, count and sink work on. Workers are interchangeable."""
    to_send: tuple[str, ...] = ()
    resend: frozenset[str] = frozenset()
    age: int = 0
    kills: int = 0
    expiries: int = 0
    fall_backs: int = 0
    replica: Redis | None = None
    fallen: bool = False
    backup: bool = False
    """The fall-back may be to a state that is older than a bucket's TTL."""


@dataclass(frozen=True)
class Model:
    """The steps that a world can take."""

    rules: Rules = Rules()
    workers: int = 2
    batch: int = 2

    def steps(self, world: World) -> Iterator[World]:
        yield from self._clients(world)
        yield from self._misfortunes(world)
        for stage, name in enumerate(("dedupe", "count", "sink")):
            yield from self._takes(world, stage, name)
            for hand in set(world.hands[stage]):
                put_down = _without(world, stage, hand)
                if world.kills:
                    yield replace(put_down, kills=world.kills - 1)
                yield from self._works(world, put_down, stage, hand)

    def at_rest(self, world: World) -> bool:
        redis = world.redis
        streams = (
            (redis.dedupe, redis.raw),
            (redis.count, redis.unique),
            (redis.sink, redis.counted),
        )
        done = all(group.read == len(stream) and not group.pending for group, stream in streams)
        return done and not world.to_send and not any(world.hands) and world.replica is None

    def _clients(self, world: World) -> Iterator[World]:
        """XADD. Its reply may be lost, so the client or the spool may send the event again."""
        for event in set(world.to_send):
            rest = tuple(one for one in world.to_send if one != event)
            added = replace(
                world, redis=replace(world.redis, raw=(*world.redis.raw, event)), to_send=rest
            )
            yield added
            if event in world.resend:
                yield replace(added, to_send=(*rest, event), resend=world.resend - {event})

    def _misfortunes(self, world: World) -> Iterator[World]:
        if world.expiries and (world.backup or _may_expire(world)):
            yield replace(world, age=world.age + 1, expiries=world.expiries - 1)
        if world.fall_backs and not world.to_send and world.replica is None:
            yield replace(world, replica=world.redis, fall_backs=world.fall_backs - 1)
        if world.replica is not None:
            yield replace(world, redis=world.replica, replica=None, fallen=True)

    def _takes(self, world: World, stage: int, name: str) -> Iterator[World]:
        """An idle worker reads new entries, or claims pending ones, whoever works on them."""
        if len(world.hands[stage]) == self.workers:
            return
        group: Group = getattr(world.redis, name)
        stream = (world.redis.raw, world.redis.unique, world.redis.counted)[stage]
        if group.read < len(stream):
            end = min(group.read + self.batch, len(stream))
            entries = tuple(range(group.read, end))
            fresh = replace(group, read=end, pending=group.pending | set(entries))
            yield self._takes_up(
                replace(world, redis=replace(world.redis, **{name: fresh})), stage, entries
            )
        for size in range(1, self.batch + 1):
            for claimed in combinations(sorted(group.pending), size):
                yield self._takes_up(world, stage, claimed)

    def _takes_up(self, world: World, stage: int, entries: Entries) -> World:
        first = (
            "mark"
            if stage == 0 and not self.rules.mark_in_gate
            else "write"
            if stage == 2
            else "commit"
        )
        tallies = tuple(world.redis.counted[entry] for entry in entries) if stage == 2 else ()
        return _with(world, stage, (first, entries, tallies))

    def _works(self, world: World, free: World, stage: int, hand: Hand) -> Iterator[World]:
        phase, entries, tallies = hand
        if phase == "write":
            yield _with(
                replace(free, mongo=self._written(world, tallies)), stage, ("commit", entries, ())
            )
        elif phase == "mark":
            new = {world.redis.raw[entry] for entry in entries} - world.redis.marks
            unmarked = tuple(entry for entry in entries if world.redis.raw[entry] in new)
            marked = replace(free, redis=replace(world.redis, marks=world.redis.marks | new))
            yield _with(marked, stage, ("commit", unmarked, ()))
        else:
            commit = (self._deduped, self._counted, self._stored)[stage]
            yield replace(free, redis=commit(world, entries))

    def _won(self, group: Group, entry: int) -> bool:
        return entry in group.pending or not self.rules.gate

    def _deduped(self, world: World, entries: Entries) -> Redis:
        redis = world.redis
        for entry in entries:
            if self._won(redis.dedupe, entry):
                event = redis.raw[entry]
                if not self.rules.mark_in_gate or event not in redis.marks:
                    redis = replace(
                        redis, unique=(*redis.unique, event), marks=redis.marks | {event}
                    )
            redis = replace(redis, dedupe=redis.dedupe.acknowledged(entry))
        if not self.rules.mark_in_gate:  # what was a duplicate at the mark is acknowledged, too
            known = {entry for entry in redis.dedupe.pending if redis.raw[entry] in redis.marks}
            redis = replace(
                redis, dedupe=replace(redis.dedupe, pending=redis.dedupe.pending - known)
            )
        return redis

    def _counted(self, world: World, entries: Entries) -> Redis:
        redis, winners = world.redis, 0
        for entry in entries:
            winners += self._won(redis.count, entry)
            redis = replace(redis, count=redis.count.acknowledged(entry))
        if not winners:
            return redis
        if redis.bucket is None or redis.bucket[0] < world.age:
            generation = redis.generation + 1 if self.rules.bump else 1
            redis = replace(redis, generation=generation, bucket=(world.age, generation, 0))
        assert redis.bucket
        _, part, n = redis.bucket
        bucket = (world.age, part, n + winners)
        return replace(redis, bucket=bucket, counted=(*redis.counted, (part, n + winners)))

    def _stored(self, world: World, entries: Entries) -> Redis:
        group = world.redis.sink
        for entry in entries:
            group = group.acknowledged(entry)
        return replace(world.redis, sink=group)

    def _written(self, world: World, tallies: Tallies) -> Tallies:
        stored = dict(world.mongo)
        for part, n in tallies:
            stored[part] = (
                max(n, stored.get(part, 0)) if self.rules.maximum else n + stored.get(part, 0)
            )
        return tuple(sorted(stored.items()))


def _may_expire(world: World) -> bool:
    """No expiry between a change of the bucket and the fall-back that undoes it, or before that
    change is made again.
    """
    redis = world.redis
    if world.replica is not None:
        return redis.bucket == world.replica.bucket
    waiting = redis.dedupe.pending | redis.count.pending
    unread = len(redis.raw) - redis.dedupe.read + len(redis.unique) - redis.count.read
    return not world.fallen or not (waiting or unread)


def _with(world: World, stage: int, hand: Hand) -> World:
    hands = list(world.hands)
    hands[stage] = tuple(sorted((*hands[stage], hand)))
    return replace(world, hands=tuple(hands))


def _without(world: World, stage: int, hand: Hand) -> World:
    hands, left = list(world.hands), list(world.hands[stage])
    left.remove(hand)
    hands[stage] = tuple(left)
    return replace(world, hands=tuple(hands))
