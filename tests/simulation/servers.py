"""Redis and MongoDB as the simulation's processes meet them: every call may fail, in every way.

Redis is a real one, so that its streams and the scripts are the real ones; its calls are made one
at a time. MongoDB is a few dictionaries with the operators that the sink uses.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pymongo import InsertOne
from pymongo.errors import AutoReconnect, BulkWriteError

from catchwater import redis_client, redis_errors
from catchwater.errors import UnavailableError
from catchwater.redis_client import Command, Connection
from tests.simulation.scheduler import Scheduler

NEVER_MS = 10**9
FAULTS = ("refused", "cut", "reply lost")

READS = {"EXISTS", "HGET", "HMGET", "INFO", "XINFO GROUPS", "XINFO STREAM", "XPENDING"}
"""Commands that change nothing."""

INGEST_CALLS = 8
"""Calls of a stage for one of ingest: each of ingest's is to fail about as often as all of a stage.
"""


@dataclass
class Weather:
    """How likely things go wrong."""

    random: Random
    scheduler: Scheduler
    fault: float
    """Of a call."""
    long_pause: float = 0.02
    """Of a pause: it is longer than others wait before they claim."""
    claim: float = 0.3
    """That a look for abandoned entries finds everything abandoned, also what is just worked on."""
    seen: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def clear(self) -> None:
        self.fault = self.long_pause = 0.0
        self.claim = 1.0

    def pause(self) -> None:
        self.scheduler.pause(self.pause_s())

    def pause_s(self) -> float:
        if self.random.random() < self.long_pause:
            self.seen["long pause"] += 1
            return self.random.uniform(0.5, 5)
        return self.random.expovariate(500)

    def next_fault(self, calls: int = 1) -> str:
        """`calls`: for how many calls this one stands."""
        if self.random.random() >= self.fault * calls:
            return ""
        fault = self.random.choice(FAULTS)
        self.seen[fault] += 1
        return fault


class RoundTrip:
    """The commands of one call in two parts, as they are not one step for others, and what goes
    wrong on the way.
    """

    def __init__(self, weather: Weather, commands: Sequence[Command], calls: int = 1) -> None:
        self._commands = [_timeless(weather, command) for command in commands]
        self._fault = weather.next_fault(calls)
        self._found: list[Any] = []
        last = {"refused": 0, "cut": weather.random.randint(1, len(commands)) - 1}
        done = self._commands[: last.get(self._fault, len(commands))]
        middle = weather.random.randint(0, len(done))
        self.parts = [part for part in (done[:middle], done[middle:]) if part]

    def add(self, found: list[Any]) -> None:
        self._found += found

    def result(self) -> list[Any]:
        if self._fault:
            raise UnavailableError(f"simulated: {self._fault}")
        return [_without_clock(*pair) for pair in zip(self._commands, self._found, strict=True)]


class Wire:
    """The connection of all tasks to the real Redis, written to directly: a third of the time.

    What was asked before, and whose keys nobody has changed since, is answered from memory: most
    of what idle processes ask. `forget` has to be called when others change anything.
    """

    def __init__(self, connection: Connection) -> None:
        self._pool = connection._nodes._redis.connection_pool
        self._connection = self._pool.get_connection()
        self._known: dict[Command, tuple[int, Any]] = {}
        self._changed: dict[str, int] = {}
        """When each key was changed last, as a number of calls."""
        self._calls = 0
        self.asked = self.answered_from_memory = 0

    def calls(self, commands: Sequence[Command]) -> list[Any]:
        self.asked += 1
        if known := self._remembered(commands):
            self.answered_from_memory += 1
            return known
        answers = self.answers(commands)
        self._calls += 1
        for command, answer in zip(commands, answers, strict=True):
            if isinstance(answer, Exception):
                continue
            if _changes_nothing(command, answer):
                self._known[command] = self._calls, answer
            else:
                self._changed.update(dict.fromkeys(_keys(command), self._calls))
        return answers

    def _remembered(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to all of them; [] when one of them has to be asked."""
        answers = []
        for command in commands:
            at, answer = self._known.get(command, (-1, None))
            if at < max((self._changed.get(key, 0) for key in _keys(command)), default=0):
                return []
            answers.append(answer)
        return answers

    def forget(self) -> None:
        self._known.clear()

    def answers(self, commands: Sequence[Command]) -> list[Any]:
        """What Redis itself says, an exception in the place of each error."""
        self._connection.send_packed_command(self._connection.pack_commands(commands))
        return [self._reply() for _ in commands]

    def close(self) -> None:
        self._pool.release(self._connection)

    def _reply(self) -> Any:
        try:
            return self._connection.read_response()
        except redis_errors.redis.ResponseError as error:
            return error


def _keys(command: Command) -> list[str]:
    return [part for part in command if isinstance(part, str) and part.startswith("cw:")]


def _changes_nothing(command: Command, answer: Any) -> bool:
    if command[0] == "XREADGROUP":
        return not answer  # there was nothing new
    if command[0] == "XAUTOCLAIM":
        return not answer[1] and not answer[2]
    return command[0] in READS


class SimulatedConnection(Connection):
    def __init__(self, wire: Wire, weather: Weather) -> None:
        super().__init__("redis://simulated")
        self._nodes: Any = SimulatedNode(wire, weather)


class SimulatedNode:
    """A node whose calls can be refused, cut off between two commands, or not answered."""

    def __init__(self, wire: Wire, weather: Weather) -> None:
        self._wire = wire
        self._weather = weather

    def run(self, commands: Sequence[Command]) -> list[Any]:
        if not commands:
            return []
        trip = RoundTrip(self._weather, commands)
        for part in trip.parts:
            trip.add(self._wire.calls(part))
            self._weather.pause()
        result = trip.result()
        reads = [i for i, command in enumerate(commands) if "BLOCK" in command]
        if reads and not any(result[i] for i in reads):
            self._weather.scheduler.pause(0.5)  # instead of BLOCK, which would end when some come
        return result

    def each(self, command: Command, keys: Sequence[str] = ()) -> list[Any]:
        return self.run([command])

    def node_of(self, _key: str) -> str:
        return ""

    def close(self) -> None:
        pass


class SimulatedAsyncConnection:
    """The same for ingest: other tasks of its loop go on while it waits."""

    def __init__(self, wire: Wire, weather: Weather) -> None:
        self._wire = wire
        self._weather = weather
        self.cut = False

    async def attempts(self, commands: Sequence[Command]) -> list[Any]:
        if self.cut:
            raise UnavailableError("simulated: the process is dead")
        trip = RoundTrip(self._weather, commands, INGEST_CALLS)
        for part in trip.parts:
            trip.add(self._wire.calls(part))
            await asyncio.sleep(self._weather.pause_s())
        return redis_client._ours(trip.result())

    async def calls(self, commands: Sequence[Command]) -> list[Any]:
        return redis_client._checked(await self.attempts(commands))

    async def each(self, *command: Any) -> list[Any]:
        return await self.calls([command])

    async def each_attempt(self, *command: Any) -> dict[str, Any]:
        return {"": (await self.attempts([command]))[0]}

    def node_of(self, _key: str) -> str:
        return ""

    async def close(self) -> None:
        pass


def _timeless(weather: Weather, command: Command) -> Command:
    """Without Redis's own clock: it is real, and would make two runs of a seed differ."""
    if "BLOCK" in command:
        at = command.index("BLOCK")
        return (*command[:at], *command[at + 2 :])
    if command[0] == "XAUTOCLAIM":
        idle = 0 if weather.random.random() < weather.claim else NEVER_MS
        return (*command[:4], idle, *command[5:])
    return command


def _without_clock(command: Command, answer: Any) -> Any:
    if command[0] == "XPENDING" and not isinstance(answer, Exception):
        return [[id_, consumer, 1, tries] for id_, consumer, _, tries in answer]
    return answer


class SimulatedMongo:
    """A client with one database, whose documents outlive every process."""

    def __init__(self, weather: Weather) -> None:
        self.weather = weather
        self.collections: dict[str, SimulatedCollection] = {}

    def __getitem__(self, name: str) -> SimulatedDatabase:
        return SimulatedDatabase(self)

    def close(self) -> None:
        pass


class SimulatedDatabase:
    def __init__(self, mongo: SimulatedMongo) -> None:
        self._mongo = mongo

    def __getitem__(self, name: str) -> SimulatedCollection:
        made = SimulatedCollection(name, self._mongo.weather)
        return self._mongo.collections.setdefault(name, made)

    @property
    def samples(self) -> SimulatedCollection:
        return self["samples"]

    @property
    def issues(self) -> SimulatedCollection:
        return self["issues"]


class SimulatedCollection:
    def __init__(self, name: str, weather: Weather) -> None:
        self.name = name
        self.documents: dict[Any, dict[str, Any]] = {}
        self._weather = weather

    def bulk_write(self, operations: Sequence[Any], *, ordered: bool) -> None:
        """Unordered. When it fails, any of the operations may have been done, or rolled back."""
        assert not ordered
        self._weather.pause()
        fault = self._weather.next_fault()
        done = [one for one in operations if not fault or self._weather.random.random() < 0.5]
        errors = [error for operation in done if (error := self._apply(operation))]
        self._weather.pause()
        if fault:
            raise AutoReconnect(f"simulated: {fault}")
        if errors:
            raise BulkWriteError({"writeErrors": errors, "writeConcernErrors": []})

    def find(self, where: Any, fields: Any) -> list[dict[str, Any]]:
        """Those of these ids, whole."""
        self._weather.pause()
        if self._weather.next_fault():
            raise AutoReconnect("simulated: the reply was lost")
        return [self.documents[one] for one in where["_id"]["$in"] if one in self.documents]

    def update_many(self, where: Any, update: Any) -> None:
        """Derives fields that the verdict does not need: it adds up the parts itself."""
        self._weather.pause()
        if self._weather.next_fault():
            raise AutoReconnect("simulated: the reply was lost")

    def _apply(self, operation: Any) -> dict[str, Any] | None:
        if isinstance(operation, InsertOne):
            document = deepcopy(operation._doc)
            if document["_id"] in self.documents:
                return {"code": 11000, "op": document}
            self.documents[document["_id"]] = document
            return None
        name = operation._filter["_id"]
        fresh = name not in self.documents
        document = self.documents.setdefault(name, {"_id": name})
        for operator, fields in operation._doc.items():
            for path, value in fields.items():
                _update(document, operator, path, value, fresh=fresh)
        return None


def _update(document: dict[str, Any], operator: str, path: str, value: Any, *, fresh: bool) -> None:
    *folders, name = path.split(".")
    for folder in folders:
        document = document.setdefault(folder, {})
    if operator == "$max":
        document[name] = max(value, document.get(name, value))
    elif operator == "$min":
        document[name] = min(value, document.get(name, value))
    elif operator == "$addToSet":
        document[name] = sorted({*document.get(name, ()), *value["$each"]})
    else:
        assert operator == "$setOnInsert", operator
        if fresh:
            document[name] = value
