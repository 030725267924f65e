"""What the Redis and the MongoDB that a pipeline points at must be able to do."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from catchwater import keys
from catchwater.connection import Connection, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catchwater.streamdefs import StreamDefs

OLDEST_REDIS = (7, 0)
OLDEST_VALKEY = (7, 2)


def redis_trouble(url: str, defs: StreamDefs) -> Iterator[str]:
    """What is wrong with the Redis at `url`, a sentence each."""
    connection = Connection(url)
    try:
        info = _info(connection)
        yield from _version(info)
        yield from _durability(info, connection)
        yield from _layout(connection, defs)
    except (Unavailable, Refused) as error:
        yield f"{url}: {error}"
    finally:
        connection.close()


def mongo_trouble(url: str) -> Iterator[str]:
    """The same for MongoDB; needs the `sink` extra."""
    try:
        yield from importlib.import_module("sink.store").trouble(url)
    except ModuleNotFoundError as error:
        yield f"{url}: cannot be asked without the Python package {error.name!r}: pip install 'catchwater[sink]'"


def _info(connection: Connection) -> dict[str, str]:
    lines = connection.call("INFO").decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _version(info: dict[str, str]) -> Iterator[str]:
    name, oldest = ("valkey", OLDEST_VALKEY) if "valkey_version" in info else ("redis", OLDEST_REDIS)
    version = info[f"{name}_version"]
    if tuple(int(part) for part in version.split(".")[:2]) < oldest:
        yield f"{name} is version {version}; {'.'.join(map(str, oldest))} or later is needed"


def _durability(info: dict[str, str], connection: Connection) -> Iterator[str]:
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        yield f"maxmemory-policy is {policy!r}: accepted events would be thrown away; set noeviction"
    if info.get("aof_enabled") == "0":
        yield "appendonly is off: accepted events die with Redis; set appendonly yes and appendfsync always"
    elif (fsync := _setting(connection, "appendfsync")) not in ("always", ""):
        yield f"appendfsync is {fsync!r}: a crash of its machine loses up to 2 s of accepted events; set always"


def _layout(connection: Connection, defs: StreamDefs) -> Iterator[str]:
    stored = connection.call("HGET", keys.META, "partitions")
    if stored is not None and int(stored) != defs.partitions:
        yield f"partitions is {defs.partitions} in streamdefs.yaml but {int(stored)} in Redis: it is fixed for its data"


def _setting(connection: Connection, name: str) -> str:
    """A setting of the server, empty where it does not tell (managed services forbid CONFIG)."""
    try:
        found = connection.call("CONFIG GET", name)
    except Refused:
        return ""
    return found[1].decode() if found else ""
