"""How many events of an issue go on whole."""

from __future__ import annotations

from catchwater.event import Event
from catchwater.stage import SamplesWanted
from stages import sample_quota
from stages.sample_quota import SampleQuota

HOUR_MS = 3_600_000


def event(received: int = 0, id_: str = "a") -> Event:
    return Event(id_, "1", received, "snippet", b"{}")


def test_first_ones_go_whole_and_then_some_an_hour():
    quota = SampleQuota(SamplesWanted(3, 1, lambda _: 0))
    taken = [quota.take("a", event(hour * HOUR_MS)) for hour in (0, 0, 0, 0, 1, 1, 2, 2)]
    assert taken == [True, True, True, False, True, False, True, False]


def test_each_issue_and_each_partition_has_its_own():
    quota = SampleQuota(SamplesWanted(1, 1, {"a": 0, "b": 1}.__getitem__))
    ways = [("x", "a"), ("x", "a"), ("x", "b"), ("y", "a"), ("y", "b"), ("y", "b")]
    taken = [quota.take(issue, event(id_=id_)) for issue, id_ in ways]
    assert taken == [True, False, True, True, True, False]
    assert quota.is_used_up("x", event())
    assert not quota.is_used_up("z", event())


def test_it_forgets_before_it_grows_without_end():
    quota = SampleQuota(SamplesWanted(1, 1, lambda _: 0))
    for number in range(sample_quota._MOST + 1):
        assert quota.take(f"issue {number}", event())
    assert len(quota._sent) == 1
    assert quota.take("issue 0", event()), "forgotten: it may be whole once more"
