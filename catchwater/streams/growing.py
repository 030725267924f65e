"""Doubles the partitions of data while it is in use.

An event's marks are in the partition of its id. Partition `i` of 8 becomes the partitions `i` and
`i + 8` of 16, so what either is to know is in `i`. Counters add up wherever they are.

1. `growing` in cw:meta: whoever knows the new number waits.
2. A fence in each partition that there was: whoever knows the old number commits nothing more, so
   no mark changes.
3. Each new partition gets all marks of the one that it comes from. Then it gets its epoch: without
   one nothing is committed in it, and with one nothing is copied to it.
4. `partitions` in cw:meta: whoever knows the new number begins.

Each step may be done again, by several at once, and from the beginning after any of them.
"""

from __future__ import annotations

import re
import secrets
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import orjson

from catchwater.cluster_slots import every_key
from catchwater.errors import RefusedError, UnavailableError
from catchwater.streams import agreement, keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.redis_client import Connection

BEGIN, END, FENCE, COPY = (
    Path(__file__).with_name(f"{name}.lua")
    for name in ("begin_growth", "end_growth", "fence", "copy_keys")
)

KEYS_AT_ONCE = 100
"""Keys that are read and written in one round trip, some 2 KB each."""

BYTES_PER_MARK = 20
"""What a mark takes in Redis, at most: `make bench` measures it."""

MOST_MEMORY = 0.8
"""Share of maxmemory that may be used once all is copied."""


class Progress(NamedTuple):
    """So many partitions are fenced, or have their copies, or are there; `keys` were copied."""

    step: str
    partitions: int
    of: int
    keys: int = 0


class Growth:
    """From the number of partitions that Redis has to the one that is declared."""

    def __init__(self, connection: Connection, defs: StreamDefs, replicas: int = 0) -> None:
        """`replicas` must have each step before the next begins.

        Raises RefusedError where the declared number cannot be grown to.
        """
        self._connection = connection
        self._defs = defs
        self._replicas = replicas
        stored = agreement.read_fixed(connection)
        agreement.refuse_other_growth(stored, defs)
        self.before = int(stored["partitions"])
        self.after = defs.partitions
        self._begun = "growing" in stored

    @property
    def is_done(self) -> bool:
        return self.before == self.after

    def check_memory(self) -> None:
        """Raises RefusedError where the copies of the marks would fill Redis."""
        windows = [one for found in self._windows().values() for one in found]
        marks = self._connection.calls([("HGET", window, "marks") for window in windows])
        infos = self._connection.infos("memory")
        copies = self.after // self.before - 1
        each = sum(int(n or 0) for n in marks) * BYTES_PER_MARK * copies / len(infos)
        for memory in infos:
            used, most = int(memory["used_memory"]), int(memory.get("maxmemory", 0))
            if most and not self._begun and used + each > MOST_MEMORY * most:
                raise RefusedError(
                    f"{self.after} partitions need {each / 1e6:,.0f} MB more for {copies} copies "
                    f"of the marks, until they expire; {used / 1e6:,.0f} of {most / 1e6:,.0f} MB "
                    "are used: raise maxmemory, or say --force"
                )

    def steps(self) -> Iterator[Progress]:
        """Do each step as it is asked for. Raises UnavailableError: then it can be done again."""
        if self.is_done:
            return
        self._say(BEGIN, self._replicas)
        fences = [([keys.fence(tag)], [self.after]) for tag in self._old]
        self._connection.scripts(FENCE, fences, self._replicas)
        yield Progress("fenced", self.before, self.before)
        yield from self._copies()
        self._say(END, agreement.layout(self.after))
        yield Progress("grown", self.after, self.after)

    @property
    def _old(self) -> list[str]:
        """The tags of the partitions that there were."""
        return self._defs.tags[: self.before]

    def _say(self, script: Path, more: int | str) -> None:
        args = [self.before, self.after, more]
        (said,) = self._connection.scripts(script, [([keys.META], args)], self._replicas)
        if not said:
            raise UnavailableError(
                "another `catchwater partitions grow` was faster: run it again to see what it did"
            )

    def _copies(self) -> Iterator[Progress]:
        """A step for each partition that there was."""
        windows = self._windows()
        for number, old in enumerate(self._old):
            new = self._defs.tags[number + self.before :: self.before]
            copied = sum(self._copy(window, old, new) for window in windows[old])
            self._begin(old, new)
            yield Progress("copied", number + 1, self.before, copied)

    def _begin(self, old: str, new: Sequence[str]) -> None:
        """Give new partitions their epoch: that of the old one. Where Redis falls back and this is
        done again, what is counted again is counted under the names that it had.
        """
        epoch = self._connection.call("GET", keys.epoch(old)) or secrets.token_hex(4)
        commands = [("SET", keys.epoch(tag), epoch, "NX") for tag in new]
        self._connection.calls(commands, self._replicas)

    def _windows(self) -> dict[str, list[str]]:
        """The windows of marks of each partition that there was, of any age."""
        marking = [name for name, stage in self._defs.stages.items() if stage.once_for]
        stages = "|".join(map(re.escape, marking))
        window = re.compile(rf"cw:\{{(.*)\}}:marks:(?:{stages}):\d+")
        found: dict[str, list[str]] = {tag: [] for tag in self._old}
        for name in sorted(every_key(self._connection, "cw:{*}:marks:*")):
            match = window.fullmatch(name)
            if match and match[1] in found:
                found[match[1]].append(name)
        return found

    def _copy(self, window: str, old: str, new: Sequence[str]) -> int:
        """Returns how many keys were copied."""
        copied, names = 0, self._names(window)
        while some := list(islice(names, KEYS_AT_ONCE)):
            copied += self._copy_keys(some, old, new)
        return copied

    def _names(self, window: str) -> Iterator[str]:
        """A window's keys: its own, and all slots of its layers."""
        layers = self._connection.call("HGET", window, "slots")
        yield window
        for layer, slots in enumerate(orjson.loads(layers or b"[]"), 1):
            yield from (f"{window}:{layer}:{slot}" for slot in range(slots))

    def _copy_keys(self, names: Sequence[str], old: str, new: Sequence[str]) -> int:
        replies = self._connection.calls([(what, name) for name in names for what in _READING])
        found = zip(names, replies[::2], replies[1::2], strict=True)
        there = [(name, max(1, ttl_ms), dump) for name, ttl_ms, dump in found if dump is not None]
        if not there:
            return 0
        values = [value for _, *both in there for value in both]
        calls = [
            ([keys.epoch(tag), *(_of(name, old, tag) for name, *_ in there)], values) for tag in new
        ]
        return sum(self._connection.scripts(COPY, calls, self._replicas))


_READING = ("PTTL", "DUMP")


def _of(name: str, old: str, new: str) -> str:
    """The same key of another partition."""
    return name.replace(f"{{{old}}}", f"{{{new}}}", 1)
