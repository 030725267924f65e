"""How much memory the embedded Redis may use: a part of what we may have."""

from __future__ import annotations

import pytest

from catchwater.local.memory import REDIS_LEAST, REDIS_MOST, machine_memory, redis_memory

MEMINFO = "MemTotal:        {} kB\nMemFree:          100 kB\n"


@pytest.mark.parametrize(
    ("total_kb", "limits", "bytes_"),
    [
        (8_000_000, {}, 8_192_000_000),
        (8_000_000, {"sys/fs/cgroup/memory.max": "max\n"}, 8_192_000_000),
        (8_000_000, {"sys/fs/cgroup/memory.max": "536870912\n"}, 536_870_912),
        (
            8_000_000,
            {"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712"},
            8_192_000_000,
        ),
        (None, {}, 0),
    ],
    ids=["a machine", "no limit", "a container", "no limit, version 1", "nothing to be read"],
)
def test_what_we_may_have_is_the_least_of_the_machine_and_its_limits(
    tmp_path, total_kb, limits, bytes_
):
    files = dict(limits)
    if total_kb:
        files["proc/meminfo"] = MEMINFO.format(total_kb)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert machine_memory(tmp_path) == bytes_


def test_redis_has_a_quarter_within_bounds():
    assert redis_memory(2_000_000_000) == 500_000_000
    assert redis_memory(100_000_000) == REDIS_LEAST
    assert redis_memory(10**12) == REDIS_MOST
    assert redis_memory(0) == 0
