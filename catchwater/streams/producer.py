"""Adds events to the first stream of the pipeline; used by ingest."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catchwater.cluster_routes import ABSENT_STREAM
from catchwater.config.streamdefs import SOURCE
from catchwater.errors import (
    CatchwaterError,
    NotReplicatedError,
    PartlyAddedError,
    RefusedError,
    UnavailableError,
)
from catchwater.event import Event, encode
from catchwater.redis_client import AsyncConnection, parse_info
from catchwater.redis_errors import CLUSTER_MODE
from catchwater.streams import keys
from catchwater.streams.places import ALL, Places, counters_of, total

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from catchwater.config.streamdefs import StreamDefs


ADD_COUNTS = Path(__file__).with_name("add_counts.lua").read_text(encoding="utf-8")

SENDER_TTL_S = 3600

STREAM = (b"stream", "stream", b"none", "none")


class EventProducer:
    """Adds events to the first stream, each to the partition of its id."""

    def __init__(
        self, url: str, defs: StreamDefs, *, wait_replicas: int = 0, wait_ms: int = 1000
    ) -> None:
        """With `wait_replicas`, `add` also waits until that many replicas have the events."""
        self._connection = AsyncConnection(url)
        self._defs = defs
        self._streams = [keys.stream(tag, SOURCE) for tag in defs.tags]
        self._replicas = wait_replicas
        self._wait_ms = wait_ms
        self.sender = secrets.token_hex(8)
        """Names this producer in Redis."""
        self._tags = ALL if self._connection.one_node else defs.tags
        self._places = Places(self._tags, self.sender)

    async def add(self, events: Sequence[Event]) -> None:
        """Add events in one round trip. On return Redis has them, on disk if configured so.

        After UnavailableError they may have been added or not. Adding them again is safe: dedupe
        drops the second copy. Raises PartlyAddedError where Redis, or a node of a cluster, has not
        taken some of them.
        """
        adding = self._places.adding(self._defs.partition_of(event.id) for event in events)
        commands = [*map(self._command, events), *adding.commands]
        if self._replicas:
            commands.append(("WAIT", self._replicas, self._wait_ms))
        results = await self._connection.attempts(commands)
        _check(events, results)
        adding.saw(results[len(events) : len(events) + len(adding.commands)])
        if self._replicas:
            self._check_replicas(results[-1])
        adding.confirm()

    def node_of(self, event: Event) -> str:
        """Names the node of Redis that gets the event, as far as is known; '' for the only one."""
        return self._connection.node_of(self._stream_of(event))

    async def lost(self) -> int:
        """How many events Redis has lost, after it said that it had them, since this was asked
        last: it fell back to an earlier state. Raises UnavailableError.

        Of a Redis that is another one, or was emptied, nothing can be said.
        """
        commands, expected = self._places.reading()
        return self._places.compare(await self._connection.attempts(commands), expected)

    @property
    def confirmed(self) -> int:
        """How many events Redis has confirmed to have from this producer, in all."""
        return self._places.confirmed

    async def added_by(self, senders: Sequence[str]) -> list[int | None]:
        """How many events of other producers Redis has; None where it does not know one.

        Raises UnavailableError.
        """
        wanted = [key for sender in senders for key in counters_of(sender, self._tags)]
        found = await self._connection.calls([("GET", key) for key in wanted])
        each = len(self._tags)
        return [total(found[i : i + each]) for i in range(0, len(found), each)]

    async def takes(self, event: Event) -> bool:
        """Whether its node would take it just now. Adds nothing."""
        try:
            await self._connection.calls([_probe(self._tag_of(event))])
        except UnavailableError:
            return False
        return True

    async def histories(self) -> dict[str, str]:
        """Names the history of the data of each node, as of `node_of`: another one after a failover
        or a restart; '' where the node is away.

        Nothing where no replicas are waited for. Raises UnavailableError where all are away.
        """
        if not self._replicas:
            return {}
        replies = await self._connection.each_attempt("INFO", "replication")
        return {
            node: "" if isinstance(reply, CatchwaterError) else parse_info(reply)["master_replid"]
            for node, reply in replies.items()
        }

    async def replicated_since(self, histories: Mapping[str, str]) -> bool:
        """Whether enough replicas have everything that was written in these histories so far."""
        nodes = (self._connection.node_of(keys.epoch(tag)) for tag in self._tags)
        marking = self._places.marking(i for i, node in enumerate(nodes) if node in histories)
        wait = ("WAIT", self._replicas, self._wait_ms)
        *_, replicas = await self._connection.calls([*marking, wait])
        # Asked for afterwards: who answered the WAIT was then still of that history.
        same = histories.items() <= (await self.histories()).items()
        return same and bool(replicas >= self._replicas)

    async def add_counts(self, counts: Mapping[str, int], sender: str, number: int) -> None:
        """Add to the counts of what was not accepted: `refused:<reason>`, `client:<reason>`.

        After UnavailableError they may have been added or not. Adding them again with the same
        `number` is safe: for each `sender` only rising numbers are added, for `SENDER_TTL_S`.
        """
        args = [number, SENDER_TTL_S, *(part for item in counts.items() for part in item)]
        await self._connection.script(ADD_COUNTS, [keys.UNACCEPTED, keys.sender(sender)], args)

    async def bucket(self, script: str, project: str, args: Sequence[str]) -> list[int]:
        """Run the script of the project's token bucket, which all ingest processes share."""
        found: list[int] = await self._connection.script(script, [keys.bucket(project)], args)
        return found

    async def check(self) -> None:
        """Find out whether this Redis would take events. Changes nothing.

        Raises RefusedError, with what to do, where it never would; UnavailableError while it is
        away.
        """
        (info, *_) = await self._connection.each("INFO", "cluster")
        if self._connection.one_node and parse_info(info).get("cluster_enabled") == "1":
            raise RefusedError(CLUSTER_MODE)
        types = await self._connection.calls([("TYPE", stream) for stream in self._streams])
        if wrong := [s for s, kind in zip(self._streams, types, strict=True) if kind not in STREAM]:
            raise RefusedError(f"{wrong[0]} in Redis is no stream: use a Redis of its own")
        await self._connection.calls([_probe(self._defs.tags[0])])

    async def durability_problem(self) -> str:
        """Why an event that Redis has may be on no disk; '' when it is, or on enough replicas."""
        if self._replicas:
            return ""
        infos = map(parse_info, await self._connection.each("INFO", "persistence"))
        if any(info.get("aof_enabled") != "1" for info in infos):
            return "appendonly is off"
        try:
            settings = await self._connection.each("CONFIG", "GET", "appendfsync")
        except RefusedError:
            return "appendfsync cannot be asked for, as CONFIG is forbidden"
        values = (setting[1].decode() if setting else "unknown" for setting in settings)
        wrong = next((value for value in values if value != "always"), "")
        return f"appendfsync is {wrong!r}" if wrong else ""

    def _check_replicas(self, replicas: int) -> None:
        if replicas < self._replicas:
            raise NotReplicatedError(
                f"{replicas} of {self._replicas} replicas have it after {self._wait_ms} ms"
            )

    async def close(self) -> None:
        """Close every connection."""
        await self._connection.close()

    def _command(self, event: Event) -> tuple[Any, ...]:
        fields = [part for item in encode(event).items() for part in item]
        return ("XADD", self._stream_of(event), "*", *fields)

    def _stream_of(self, event: Event) -> str:
        return self._streams[self._defs.partition_of(event.id)]

    def _tag_of(self, event: Event) -> str:
        return self._defs.tags[self._defs.partition_of(event.id)]


def _probe(tag: str) -> tuple[str, ...]:
    """The stream of this name is never made, so it adds nothing, but asks whether one may."""
    return ("XADD", keys.stream(tag, ABSENT_STREAM), "NOMKSTREAM", "*", "id", "-")


def _check(events: Sequence[Event], results: Sequence[Any]) -> None:
    """Raise the first error. `results` begin with one for each event."""
    error = next((one for one in results if isinstance(one, CatchwaterError)), None)
    if error is None:
        return
    pairs = zip(events, results, strict=False)
    added = [event.id for event, one in pairs if not isinstance(one, CatchwaterError)]
    if isinstance(error, UnavailableError):
        raise PartlyAddedError(str(error), added) from error
    raise error
