"""What is fixed for the life of the data: compared with what this Redis has stored of it.

An event counts once because each stage acknowledges it in its own group of one stream, because
dedupe has its marks under its own name and horizon, and because the audit adds up by names. So
each stage on the way to the count keeps these three. Whatever else is declared may change.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from catchwater.config.hash_slots import grows_to, is_doubled
from catchwater.config.units import format_duration
from catchwater.errors import GrowingError, RefusedError, UnavailableError
from catchwater.redis_client import Connection, as_mapping
from catchwater.redis_errors import CLUSTER_MODE
from catchwater.streams import keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from catchwater.config.streamdefs import StreamDefs

LAYOUT, DOUBLED_LAYOUT = "1", "2"
"""Versions of the key table in keys.py. A Redis with another one refuses to be used. Version 2 has
the tags of more than 8 partitions, of an even number, in another order.
"""

_GROWING = (
    "its partitions grow; this goes on when `catchwater partitions grow` has said that they have "
    "grown: run it again if it was cut short"
)

_WHY = (
    ", as what it has met would be counted again or be missing in the audit: see Changing the "
    "pipeline in docs/operations.md"
)


def check_again(
    connection: Connection, defs: StreamDefs, of: Sequence[str], *, agreed: bool
) -> None:
    """As `check_agreement`, but where this process has found before that it fits (`agreed`), the
    node that has this may be away: another one must not wait for it. A commit asks the fence of its
    own partition whether the partitions have grown meanwhile.
    """
    try:
        check_agreement(connection, defs, of)
    except GrowingError:
        raise
    except UnavailableError:
        if not agreed:
            raise


def check_agreement(connection: Connection, defs: StreamDefs, of: Sequence[str] = ()) -> None:
    """Store what is not stored yet. Raises RefusedError where `defs` or this Redis does not fit.

    Of a cluster, only the nodes that have the keys `of` are looked at, where there are any.

    A Redis that is full takes nothing more. That must not keep stages from working off what fills
    it, so they start, and what is fixed is stored the next time.
    """
    if connection.one_node and connection.info("cluster").get("cluster_enabled") == "1":
        raise RefusedError(CLUSTER_MODE)
    if is_growing(read_fixed(connection), defs):
        raise GrowingError(f"{connection.url}: {_GROWING}")
    _refuse_differences(connection, defs)
    if missing := _fixed(defs).items() - read_fixed(connection).items():
        with suppress(UnavailableError):
            connection.calls([("HSETNX", keys.META, name, value) for name, value in missing])
        _refuse_differences(connection, defs)  # another one may have come first
    _check_eviction(connection, of)


def is_growing(stored: Mapping[str, str], defs: StreamDefs) -> bool:
    """Whether the partitions are about to be as many as `defs` says."""
    return stored.get("growing") == str(defs.partitions)


def refuse_other_growth(stored: Mapping[str, str], defs: StreamDefs) -> None:
    """Raises RefusedError where what is stored cannot become what `defs` says, by growing alone."""
    if "partitions" not in stored:
        raise RefusedError(
            "this Redis has no data of a pipeline: start with the partitions that you want"
        )
    there = int(stored["partitions"])
    grows = is_growing(stored, defs) or _can_grow(stored, defs)
    if not grows and (there != defs.partitions or "growing" in stored):
        raise RefusedError(next(_of_partitions(stored, defs)))
    for difference in _of_stages(stored, defs):
        raise RefusedError(difference)


def _can_grow(stored: Mapping[str, str], defs: StreamDefs) -> bool:
    return "growing" not in stored and defs.partitions in grows_to(int(stored["partitions"]))


def _refuse_differences(connection: Connection, defs: StreamDefs) -> None:
    for difference in differences(read_fixed(connection), defs):
        raise RefusedError(f"{connection.url}: {difference}")


def read_fixed(connection: Connection) -> dict[str, str]:
    """What this Redis has stored, by name."""
    flat = as_mapping(connection.call("HGETALL", keys.META))
    return {name.decode(): value.decode() for name, value in flat.items()}


def differences(stored: Mapping[str, str], defs: StreamDefs) -> Iterator[str]:
    """Where `defs` differs from what is stored, a sentence each."""
    yield from _of_partitions(stored, defs)
    yield from _of_stages(stored, defs)


def _of_partitions(stored: Mapping[str, str], defs: StreamDefs) -> Iterator[str]:
    wanted = defs.partitions
    there = stored.get("partitions", str(wanted))
    said = f"partitions is {wanted} in streamdefs.yaml but {there} in Redis"
    if is_growing(stored, defs):
        yield _GROWING
    elif "growing" in stored:
        new = stored["growing"]
        yield f"{said}, and about to be {new}: set it to {new} and run `catchwater partitions grow`"
    elif there == str(wanted):
        yield from _of_layout(stored, _fixed(defs))
    elif _can_grow(stored, defs):
        yield f"{said}: run `catchwater partitions grow`, or set it to {there}"
    else:
        possible = " or ".join(map(str, grows_to(int(there))))
        grows = f"which can grow to {possible}" if possible else "which cannot grow"
        yield f"{said}, {grows}. Set it to {there}, or use another Redis"


def _of_stages(stored: Mapping[str, str], defs: StreamDefs) -> Iterator[str]:
    declared = _fixed(defs)
    for name, value in sorted(stored.items()):
        setting, _, stage = name.partition(":")
        if setting not in ("reads", "once_for") or declared.get(name) == value:
            continue  # a later version may have fixed more
        yield (
            f"stages.{stage}.{setting} is {declared.get(name, 'nothing')} in streamdefs.yaml but "
            f"{value} in Redis: it is fixed for the life of the data{_WHY}. Set it to {value}, or "
            "use another Redis"
        )


def _of_layout(stored: Mapping[str, str], declared: Mapping[str, str]) -> Iterator[str]:
    there, wanted = stored.get("layout", declared["layout"]), declared["layout"]
    if there == wanted:
        return
    if (there, wanted) == (LAYOUT, DOUBLED_LAYOUT):
        yield (
            f"its {declared['partitions']} partitions are in the order of an earlier version, and "
            "an event would not meet its first copy: use another Redis, or the earlier version "
            "until this one is empty"
        )
    else:
        yield (
            f"its keys are of version {there}, and this version of Catchwater knows {wanted}: use "
            "the version that wrote them, or another Redis"
        )


def layout(partitions: int) -> str:
    return DOUBLED_LAYOUT if is_doubled(partitions) else LAYOUT


def _fixed(defs: StreamDefs) -> dict[str, str]:
    fixed = {"partitions": str(defs.partitions), "layout": layout(defs.partitions)}
    for name in defs.counting_path:
        stage = defs.stages[name]
        fixed[f"reads:{name}"] = stage.reads
        if stage.once_for:
            fixed[f"once_for:{name}"] = format_duration(stage.once_for)
    return fixed


def _check_eviction(connection: Connection, of: Sequence[str]) -> None:
    for memory in connection.infos("memory", of):
        policy = memory.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            raise RefusedError(
                f"maxmemory-policy is {policy!r} in the Redis at {connection.url}: it would throw "
                "away events that were accepted; set it to noeviction"
            )
