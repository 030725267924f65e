"""Every interleaving ends with the same, right number.

Each rule is needed: without it some interleaving is wrong.
"""

from __future__ import annotations

import pytest

from tests.model.counting import Model, Rules, World
from tests.model.explorer import explore


def outcomes(model, world):
    """Returns how many states there are, and the counts that MongoDB can end up with."""
    states, final = explore(world, model.steps, model.at_rest)
    return states, {sum(n for _, n in one.mongo) for one in final}


def world(events="ab", resend="", **more):
    return World(to_send=tuple(events), resend=frozenset(resend), **more)


EXACT = {
    "two events, two kills, zombies": (Model(), world(kills=2)),
    "an event that is sent twice": (Model(batch=1), world(resend="a", kills=1)),
    "the bucket expires": (Model(), world(expiries=1)),
    "redis falls back once": (Model(workers=1), world(fall_backs=1, kills=2)),
    "redis falls back under zombies": (Model(batch=1), world(fall_backs=1)),
    "redis falls back and the bucket expires": (
        Model(workers=1),
        world(fall_backs=1, expiries=1, kills=1),
    ),
    "sent twice and fallen back": (
        Model(batch=1, workers=1),
        world(resend="a", fall_backs=1, kills=1),
    ),
}


@pytest.mark.parametrize("case", EXACT)
def test_every_interleaving_counts_each_event_once(case):
    model, start = EXACT[case]
    states, found = outcomes(model, start)
    assert found == {len(start.to_send)}
    assert states > 1000


WRONG = {
    "without the gate": (Rules(gate=False), world(), "more"),
    "added up instead of $max": (Rules(maximum=False), world(kills=1), "more"),
    "a new bucket under its old name": (Rules(bump=False), world(expiries=1), "less"),
    "the mark outside the gate": (Rules(mark_in_gate=False), world(kills=1), "less"),
}


@pytest.mark.parametrize("case", WRONG)
def test_without_one_rule_some_interleaving_is_wrong(case):
    rules, start, how = WRONG[case]
    _, found = outcomes(Model(rules), start)
    right = len(start.to_send)
    assert (max(found) > right) if how == "more" else (min(found) < right), found


def test_a_backup_that_is_older_than_a_bucket_s_ttl_can_count_twice():
    """The limit of the guarantee, as docs/guarantees.md says."""
    _, found = outcomes(Model(workers=1), world(fall_backs=1, expiries=1, backup=True))
    assert max(found) > 2
