from __future__ import annotations

import random
from datetime import timedelta
from math import pi, sin

import pytest

from sink.notices.spikes import is_spike
from tests.issues.conftest import NOW, Seen
from tests.notices.conftest import People
from tests.notices.receiver import Receiver

HOUR = timedelta(hours=1)
DAYS = 15
SPIKES = {("1:v1:calm", 5), ("1:v1:office", 3), ("1:v1:busy", 20)}
"""Of which issue, and in which hour of the last day."""


def poisson(chance: random.Random, mean: float) -> int:
    """Events of an hour, as they come by chance."""
    return max(0, round(chance.gauss(mean, mean**0.5))) if mean > 0 else 0


def usual(issue: str, hour: int, weekday: int) -> float:
    """Rhythms of people: none, of an office, of a shop with weekends, of a job at night."""
    day, time = divmod(hour + 24 * weekday, 24)
    return {
        "1:v1:calm": 6,
        "1:v1:office": 900 * max(0.0, sin(pi * (time - 7) / 11)) if day % 7 < 5 else 5,
        "1:v1:busy": 4000 + 3500 * sin(2 * pi * time / 24),
        "1:v1:weekend": 1500 if day % 7 >= 5 else 60,
        "1:v1:nightly": 2000 if time == 3 else 0,
        "1:v1:rare": 0.1,
    }[issue]


ISSUES = ["1:v1:calm", "1:v1:office", "1:v1:busy", "1:v1:weekend", "1:v1:nightly", "1:v1:rare"]


@pytest.mark.parametrize("weekday", range(7))
def test_of_a_day_with_rhythm_and_three_spikes_three_are_told_and_no_other(
    seen: Seen, people: People, receiver: Receiver, weekday: int
):
    chance = random.Random(weekday)
    people.channel["kinds"] = ["spike"]
    first = (NOW - timedelta(days=DAYS)).replace(minute=0, second=0)
    hours = {}
    for issue in ISSUES:
        seen.database.issues.insert_one(
            {"_id": issue, "project": "1", "message": issue, "first_seen": first, "count": 1}
        )
        for n in range(24 * DAYS):
            count = poisson(chance, usual(issue, n, weekday))
            if (issue, n - 24 * (DAYS - 1)) in SPIKES:
                count = 8 * max(count, 40)
            hours[issue, n] = count
    write(seen, first, {key: n for key, n in hours.items() if key[1] < 24 * (DAYS - 1)})
    notifier = people.notifier()
    for hour in range(24 * (DAYS - 1), 24 * DAYS):
        for share in (0.1, 0.5, 1.0):
            write(seen, first, {key: int(n * share) for key, n in hours.items() if key[1] == hour})
            people.turn(first + (hour + 0.9 * share) * HOUR - NOW, notifier)
    assert sorted(one.json["issue"] for one in receiver.got) == sorted(one for one, _ in SPIKES)


def write(seen: Seen, first, counts) -> None:
    """The hours' counts as the sink would have them."""
    seen.database.hours.delete_many({"_id": {"$in": [f"{issue}:{n}" for issue, n in counts]}})
    seen.database.hours.insert_many(
        {
            "_id": f"{issue}:{n}",
            "issue": issue,
            "project": "1",
            "hour": first + n * HOUR,
            "parts": {"a": count},
        }
        for (issue, n), count in counts.items()
        if count
    )


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ([0] * 200 + [1], False),
        ([0] * 200 + [49], False),
        ([0] * 200 + [50], True),
        ([30] * 200 + [100], False),
        ([30] * 200 + [130], True),
        ([0] * 10 + [10_000], False),
        ([*[0] * 23, 5_000] * 10 + [0] * 23 + [5_200], False),
        ([*[0] * 23, 5_000] * 10 + [0] * 22 + [5_200], False),
        ([0] * 300 + [1_000, 1_000], True),
    ],
    ids=["one event", "too few", "enough", "thrice", "four times", "new", "nightly", "early", "on"],
)
def test_a_spike_is_far_above_what_is_usual_then(hours: list[int], expected: object):
    assert is_spike(hours, 4.0, 50) is expected
