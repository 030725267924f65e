from __future__ import annotations

import pytest

from catchwater.streams.hyperloglog import REGISTERS, estimate, register


def registers(users):
    ranks = {}
    for user in users:
        index, rank = register(user)
        ranks[index] = max(rank, ranks.get(index, 0))
    return ranks


@pytest.mark.parametrize(
    ("users", "off"), [(0, 0), (1, 0), (10, 0), (100, 0.03), (2_000, 0.1), (50_000, 0.12)]
)
def test_the_estimate_is_near(users, off):
    ranks = registers(f"user-{n}" for n in range(users))
    assert abs(estimate(ranks.values()) - users) <= off * users


def test_a_user_who_comes_again_changes_nothing():
    once = registers(f"user-{n}" for n in range(500))
    assert registers(f"user-{n % 500}" for n in range(5_000)) == once


def test_every_register_and_rank_is_in_range():
    pairs = [register(f"{n}") for n in range(10_000)]
    assert {index for index, _ in pairs} <= set(range(REGISTERS))
    assert all(1 <= rank <= 55 for _, rank in pairs)
