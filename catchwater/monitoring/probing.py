"""A probe: an event of our own, sent as browsers send theirs, that is looked for where people look.

It belongs to a project of its own, so it is counted like any event, and the audit adds up. That
project is in no list of issues. The probe's sample is removed when it was seen.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import orjson

from catchwater.errors import CatchwaterError, NotShownError, UnavailableError
from catchwater.event import PROBES
from catchwater.monitoring import event_search, event_trace
from catchwater.redis_client import as_mapping
from catchwater.streams import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.redis_client import Connection

EVERY_S = 0.05
"""Seconds between two looks."""

SLOT_S = 15
"""Seconds of an hour in which probes are one issue. An issue's samples are bounded: so every probe
of a slot is one, where it comes alone.
"""

_MOST_PAGES = 10
"""Pages of a stream that one look reads at most: busy streams are caught up with later."""

INGEST, DASHBOARD = "ingest", "dashboard"


class Shelf(Protocol):
    """Where samples are stored."""

    def has(self, event_id: str) -> bool: ...

    def remove_probe(self, event_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """A probe that arrived. `hops` are seconds by ingest, stage and dashboard, as far as known.

    What was trimmed before it was seen is missing in `hops`.
    """

    event_id: str
    seconds: float
    hops: dict[str, float]


@dataclass(slots=True)
class Probe:
    """One probe. `send` posts a report; `is_shown` asks the dashboard for an event."""

    connection: Connection
    shelf: Shelf
    defs: StreamDefs
    send: Callable[[bytes], None]
    is_shown: Callable[[str], bool] | None = None
    event_id: str = field(default_factory=lambda: secrets.token_hex(16))

    def run(self, timeout_s: float) -> Shown:
        """Send it, wait until it is stored and shown, and remove its sample.

        Raises NotShownError when it was refused, or is not there after `timeout_s` seconds.
        """
        passing = Passing(self.connection, self.defs, self.event_id)
        started = time.monotonic()
        self.send(report(self.event_id, time.time()))
        posted = time.monotonic()
        while not self._is_stored():
            passing.look()
            if time.monotonic() - started > timeout_s:
                raise NotShownError(self._why(timeout_s))
            time.sleep(EVERY_S)
        stored_ms = passing.now_ms()
        hops = {INGEST: posted - started, **passing.hops(stored_ms)}
        hops |= self._dashboard(started + timeout_s)
        seconds = time.monotonic() - started
        with suppress(UnavailableError):  # it was shown; the next probe removes what is left
            self.shelf.remove_probe(self.event_id)
        return Shown(self.event_id, seconds, hops)

    def _is_stored(self) -> bool:
        with suppress(UnavailableError):
            return self.shelf.has(self.event_id)
        return False

    def _dashboard(self, deadline: float) -> dict[str, float]:
        if self.is_shown is None:
            return {}
        began = time.monotonic()
        while not self.is_shown(self.event_id):
            if time.monotonic() > deadline:
                raise NotShownError(
                    f"the probe {self.event_id} is in MongoDB, but the dashboard does not show it"
                )
            time.sleep(EVERY_S)
        return {DASHBOARD: time.monotonic() - began}

    def _why(self, timeout_s: float) -> str:
        try:
            trace = event_search.trace(self.connection, self.defs, self.event_id, [PROBES])
            said = "; ".join(event_trace.conclusions(trace, self.defs))
        except CatchwaterError as error:
            said = str(error)
        return f"the probe {self.event_id} is not stored after {timeout_s:g} s: {said}"


class Passing:
    """When an event came into each stream of its partition, by Redis's clock: best effort.

    Only what is new is read: from where each stream ended when the probe was sent.
    """

    def __init__(self, connection: Connection, defs: StreamDefs, event_id: str) -> None:
        self._connection = connection
        self._defs = defs
        self._event_id = event_id
        self._tag = defs.tags[defs.partition_of(event_id)]
        self._entered: dict[str, int] = {}
        self._from: dict[str, str] = {}
        with suppress(CatchwaterError):
            self._from = {stream: self._end_of(stream) for stream in defs.streams}

    def look(self) -> None:
        with suppress(CatchwaterError):
            for stream in self._from.keys() - self._entered.keys():
                self._look_into(stream)

    def now_ms(self) -> int | None:
        """Redis's clock; None while it does not answer."""
        with suppress(CatchwaterError):
            seconds, micros = map(int, self._connection.call("TIME"))
            return seconds * 1000 + micros // 1000
        return None

    def hops(self, stored_ms: int | None) -> dict[str, float]:
        self.look()
        return hops(self._defs, self._entered, stored_ms)

    def _end_of(self, stream: str) -> str:
        key = keys.stream(self._tag, stream)
        if not self._connection.call("EXISTS", key):
            return "0-0"
        info = as_mapping(self._connection.call("XINFO STREAM", key))
        return str(info[b"last-generated-id"].decode())

    def _look_into(self, stream: str) -> None:
        key = keys.stream(self._tag, stream)
        for _ in range(_MOST_PAGES):
            call = ([key], [self._event_id, f"({self._from[stream]}", event_search.PAGE])
            ids, *found = self._connection.scripts(event_search.SCRIPT, [call])[0]
            if found:
                self._entered[stream] = int(found[0][0].partition(b"-")[0])
                return
            if ids:
                self._from[stream] = ids[-1].decode()
            if len(ids) < event_search.PAGE:
                return


def hops(defs: StreamDefs, entered: Mapping[str, int], stored_ms: int | None) -> dict[str, float]:
    """Seconds that the event spent in each stage's stream, and in the stage. Pure.

    `entered` is when it came into each stream, in milliseconds. A stage is left out where either
    end is not known.
    """
    found = {}
    for name, stage in defs.stages.items():
        began = entered.get(stage.reads)
        ended = entered.get(stage.emits) if stage.emits else stored_ms
        if began is not None and ended is not None:
            found[name] = max(0, ended - began) / 1000
    return found


def report(event_id: str, at: float) -> bytes:
    """What the snippet would send, at the time `at`, in seconds since 1970. Pure."""
    slot = int(at % 3600) // SLOT_S
    letters = "".join(chr(ord("A") + digit) for digit in divmod(slot, 26))
    return orjson.dumps(
        {
            "id": event_id,
            "ts": int(at * 1000),
            "type": f"CatchwaterProbe{letters}",
            "message": "sent by catchwater probe",
            "mechanism": "manual",
            "level": "info",
        }
    )
