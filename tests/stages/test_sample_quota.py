"""How many events of an issue go on whole."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import orjson

from catchwater.answers import Answer, Emit
from catchwater.event import Event, encode
from catchwater.stage import SamplesWanted
from catchwater.streams.commit import Entry
from catchwater.streams.processing import Breaker, answer_batch
from stages import sample_quota
from stages.fingerprint import Resources, fingerprint
from stages.sample_quota import SampleQuota

MINUTE_MS = 60_000
DAY_MS = 86_400_000


REPORT = orjson.dumps({"type": "TypeError", "message": "lost", "stack": "pay@/app.js:1:2"})

_NUMBERS = count()


def event(received: int = 0, id_: str = "") -> Event:
    return Event(id_ or f"{next(_NUMBERS):032x}", "1", received, "snippet", REPORT)


def test_first_ones_go_whole_and_then_some_in_ten_minutes():
    """Not in an hour: were the first ones copies, there would be no sample for that long."""
    quota = SampleQuota(SamplesWanted(3, 1, lambda _: 0))
    taken = [quota.take("a", event(at * MINUTE_MS)) for at in (0, 0, 0, 9, 10, 19, 20, 29)]
    assert taken == [True, True, True, False, True, False, True, False]


def test_each_issue_and_each_partition_has_its_own():
    quota = SampleQuota(SamplesWanted(1, 1, lambda id_: "ab".index(id_[0])))
    ways = [("x", "a"), ("x", "a2"), ("x", "b"), ("y", "a3"), ("y", "b2"), ("y", "b3")]
    taken = [quota.take(issue, event(id_=id_)) for issue, id_ in ways]
    assert taken == [True, False, True, True, True, False]
    assert quota.is_used_up("x", event(id_="a4"))
    assert not quota.is_used_up("z", event(id_="a4"))


def test_each_month_has_its_first_ones():
    """As the commit counts them: a process that runs for months sent on only some an hour."""
    quota = SampleQuota(SamplesWanted(3, 1, lambda _: 0))
    taken = [quota.take("a", event(day * DAY_MS)) for day in (0, 0, 0, 0, 31, 31, 31, 31)]
    assert taken == [True, True, True, False] * 2


def test_a_batch_that_is_worked_on_again_keeps_its_bodies():
    """One event made a stage behind raise, so each is worked on again: no body was left."""
    using = Resources(quota=SampleQuota(SamplesWanted(3, 1, lambda _: 0)))
    batch = [Entry(0, f"1-{n}", encode(event())) for n in range(6)]
    culprit = batch[-1].fields[b"id"].decode()

    def work(events: Sequence[Event]) -> list[Answer]:
        found = [fingerprint(one, using) for one in events]
        if any(one.id == culprit for one in events):
            raise ValueError(culprit)
        return found

    answers = [answer for _, answer in answer_batch(work, batch, 5, Breaker())]
    bodies = [bool(one.event.body) for one in answers if isinstance(one, Emit)]
    assert bodies == [True, True, True, False, False]


def test_what_was_whole_lately_is_bounded():
    quota = SampleQuota(SamplesWanted(1, 1, lambda _: 0))
    for number in range(3 * sample_quota._LATELY):
        quota.take(f"issue {number}", event())
    assert len(quota._whole) + len(quota._whole_before) <= 2 * sample_quota._LATELY


def test_it_forgets_before_it_grows_without_end():
    quota = SampleQuota(SamplesWanted(1, 1, lambda _: 0))
    for number in range(sample_quota._MOST + 1):
        assert quota.take(f"issue {number}", event())
    assert len(quota._sent) == 1
    assert quota.take("issue 0", event()), "forgotten: it may be whole once more"
