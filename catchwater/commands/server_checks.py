"""What the Redis and the MongoDB that a pipeline points at must be able to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catchwater.cluster_slots import one_node, slot_ranges
from catchwater.commands.cluster_checks import CHECKED, setting_problems, shape_problems
from catchwater.errors import RefusedError, UnavailableError
from catchwater.redaction import redacted_address
from catchwater.redis_client import Connection
from catchwater.redis_errors import CLUSTER_MODE
from catchwater.streams.agreement import differences, read_fixed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catchwater.config.streamdefs import StreamDefs

OLDEST_REDIS = (7, 0)
OLDEST_VALKEY = (7, 2)


def redis_problems(url: str, defs: StreamDefs) -> Iterator[str]:
    """What is wrong with the Redis at `url`, a sentence each."""
    connection = Connection(url)
    try:
        if connection.one_node:
            yield from _node_problems(connection)
        else:
            yield from _cluster_problems(url, connection, defs)
        yield from differences(read_fixed(connection), defs)
    except (UnavailableError, RefusedError) as error:
        yield f"{redacted_address(url)}: {error}"
    finally:
        connection.close()


def _node_problems(connection: Connection, *, of_cluster: bool = False) -> Iterator[str]:
    info = connection.info()
    if info.get("cluster_enabled") == "1" and not of_cluster:
        raise RefusedError(CLUSTER_MODE)
    yield from _version(info)
    yield from _durability(info, connection)


def _cluster_problems(url: str, connection: Connection, defs: StreamDefs) -> Iterator[str]:
    """Replicas are asked as well: any of them may be a master tomorrow."""
    ranges = slot_ranges(connection)
    yield from shape_problems(ranges, defs.tags)
    for host, port in dict.fromkeys(place for one in ranges for place in one.nodes):
        try:
            with one_node(url, host, port) as node:
                problems = [
                    *_node_problems(node, of_cluster=True),
                    *setting_problems({name: _setting(node, name) for name in CHECKED}),
                ]
        except UnavailableError as error:
            problems = [str(error)]
        yield from (f"{host}:{port}: {problem}" for problem in problems)


def mongo_problems(url: str) -> list[str]:
    """The same for MongoDB, which needs an extra that has pymongo."""
    try:
        from catchwater import mongo_client  # noqa: PLC0415 - pymongo is no base dependency
    except ModuleNotFoundError as error:
        missing = (
            f"{redacted_address(url)}: cannot be asked without the Python package {error.name!r}"
        )
        return [f"{missing}: pip install 'catchwater[sink]'"]
    return mongo_client.problems(url)


def _version(info: dict[str, str]) -> Iterator[str]:
    name, oldest = (
        ("valkey", OLDEST_VALKEY) if "valkey_version" in info else ("redis", OLDEST_REDIS)
    )
    version = info[f"{name}_version"]
    if tuple(int(part) for part in version.split(".")[:2]) < oldest:
        yield f"{name} is version {version}; {'.'.join(map(str, oldest))} or later is needed"


def _durability(info: dict[str, str], connection: Connection) -> Iterator[str]:
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        yield (
            f"maxmemory-policy is {policy!r}: accepted events would be thrown away; set noeviction"
        )
    if info.get("aof_enabled") == "0":
        yield (
            "appendonly is off: accepted events die with Redis; set appendonly yes and "
            "appendfsync always"
        )
    elif (fsync := _setting(connection, "appendfsync")) not in ("always", ""):
        yield (
            f"appendfsync is {fsync!r}: a crash of its machine loses up to 2 s of accepted "
            f"events; set always"
        )


def _setting(connection: Connection, name: str) -> str:
    """A setting of the server; '' where CONFIG is forbidden, as by managed services."""
    try:
        found = connection.call("CONFIG GET", name)
    except RefusedError:
        return ""
    return found[1].decode() if found else ""
