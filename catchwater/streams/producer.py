"""Adds events to the first stream of the pipeline; used by ingest."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catchwater.config.streamdefs import SOURCE
from catchwater.errors import NotReplicatedError, RefusedError
from catchwater.event import Event, encode
from catchwater.redis_client import CLUSTER_MODE, AsyncConnection, parse_info
from catchwater.streams import keys
from catchwater.streams.added_log import AddedLog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from catchwater.config.streamdefs import StreamDefs


ADD_COUNTS = Path(__file__).with_name("add_counts.lua").read_text(encoding="utf-8")

SENDER_TTL_S = 3600

ADDED_TTL_S = 86_400
"""Seconds until Redis forgets how much a process added that has ended."""

PROBE = "-probe-"
"""No declared stream has this name."""

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
        self._added = keys.added(self.sender)
        self._log = AddedLog()
        self._lost = 0

    async def add(self, events: Sequence[Event]) -> None:
        """Add events in one round trip. On return Redis has them, on disk if configured so.

        After UnavailableError they may have been added or not. Adding them again is safe: dedupe
        drops the second copy.
        """
        expected = self._log.last
        commands = [self._command(event) for event in events]
        commands += [
            ("INCRBY", self._added, len(events)),
            ("EXPIRE", self._added, ADDED_TTL_S),
        ]
        if self._replicas:
            commands.append(("WAIT", self._replicas, self._wait_ms))
        results = await self._connection.calls(commands)
        count, before = results[len(events)], results[len(events)] - len(events)
        if before == 0:  # another Redis, or one that was emptied
            self._log = AddedLog()
        else:
            self._lost += self._log.lost(before, expected)
        if self._replicas:
            self._check_replicas(results[-1])
        self._log.add(count, len(events))

    async def lost(self) -> int:
        """How many events Redis has lost, after it said that it had them, since this was asked
        last: it fell back to an earlier state. Raises UnavailableError.

        Of a Redis that is another one, or was emptied, nothing can be said.
        """
        expected = self._log.last
        (count,) = await self._connection.calls([("GET", self._added)])
        if count is None:
            self._log = AddedLog()
        else:
            self._lost += self._log.lost(int(count), expected)
        lost, self._lost = self._lost, 0
        return lost

    @property
    def confirmed(self) -> int:
        """How many events Redis has confirmed to have from this producer, in all."""
        return self._log.last

    async def added_by(self, senders: Sequence[str]) -> list[int | None]:
        """How many events of other producers Redis has; None where it does not know one.

        Raises UnavailableError.
        """
        found = await self._connection.calls([("GET", keys.added(sender)) for sender in senders])
        return [None if count is None else int(count) for count in found]

    async def replication_id(self) -> str:
        """Names the history of this Redis's data: another one after a failover or a restart.

        '' where no replicas are waited for.
        """
        if not self._replicas:
            return ""
        (info,) = await self._connection.calls([("INFO", "replication")])
        return parse_info(info)["master_replid"]

    async def replicated_since(self, replication_id: str) -> bool:
        """Whether enough replicas have everything that was written in that history so far."""
        # WAIT asks for the last write of its own connection, so there must be one.
        mark = ("HINCRBY", keys.UNACCEPTED, "replicas_asked", 1)
        wait = ("WAIT", self._replicas, self._wait_ms)
        info, _, replicas = await self._connection.calls([("INFO", "replication"), mark, wait])
        same = parse_info(info)["master_replid"] == replication_id
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
        (info,) = await self._connection.calls([("INFO", "cluster")])
        if parse_info(info).get("cluster_enabled") == "1":
            raise RefusedError(CLUSTER_MODE)
        types = await self._connection.calls([("TYPE", stream) for stream in self._streams])
        if wrong := [s for s, kind in zip(self._streams, types, strict=True) if kind not in STREAM]:
            raise RefusedError(f"{wrong[0]} in Redis is no stream: use a Redis of its own")
        # The stream of this name is never made, so this adds nothing, but asks for the permission.
        probe = keys.stream(self._defs.tags[0], PROBE)
        await self._connection.calls([("XADD", probe, "NOMKSTREAM", "*", "id", "-")])

    async def durability_problem(self) -> str:
        """Why an event that Redis has may be on no disk; '' when it is, or on enough replicas."""
        if self._replicas:
            return ""
        (info,) = await self._connection.calls([("INFO", "persistence")])
        if parse_info(info).get("aof_enabled") != "1":
            return "appendonly is off"
        try:
            (setting,) = await self._connection.calls([("CONFIG", "GET", "appendfsync")])
        except RefusedError:
            return "appendfsync cannot be asked for, as CONFIG is forbidden"
        value = setting[1].decode() if setting else "unknown"
        return "" if value == "always" else f"appendfsync is {value!r}"

    def _check_replicas(self, replicas: int) -> None:
        if replicas < self._replicas:
            raise NotReplicatedError(
                f"{replicas} of {self._replicas} replicas have it after {self._wait_ms} ms"
            )

    async def close(self) -> None:
        """Close every connection."""
        await self._connection.close()

    def _command(self, event: Event) -> tuple[Any, ...]:
        stream = self._streams[self._defs.partition_of(event.id)]
        fields = [part for item in encode(event).items() for part in item]
        return ("XADD", stream, "*", *fields)
