"""The loop on a real Redis: crashes, poison, outages. A crash is an event in the input."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from catchwater.answers import Drop, Emit
from catchwater.errors import BreakerOpenError, UnavailableError
from catchwater.event import Event
from catchwater.streams import keys
from catchwater.streams.deliveries import HeldEntry
from catchwater.streams.loop import Loop
from catchwater.streams.processing import Breaker, answer_batch
from tests.waiting import wait_until

FROM_THE_START = [b"0-0", b"0-0"]
"""Cursors of a first claim, one per partition."""


class Killed(BaseException):
    """What a kill -9 looks like from inside: nothing after it runs."""


def passing(events):
    return [Emit(event) for event in events]


def dies_of(number):
    """A stage that dies when it meets the event of that number, each time."""

    def work(events):
        if any(event.id == f"{number:032x}" for event in events):
            raise Killed
        return passing(events)

    return work


def run_until_death(pipeline, work, name):
    loop = Loop(pipeline.consumer("name", name), work, threading.Event())
    with pytest.raises(Killed):
        loop.run()


def pending(pipeline):
    return sum(
        pipeline.connection.call("XPENDING", keys.stream(tag, "raw"), "name")[0]
        for tag in pipeline.defs.tags
    )


def dead_letters(pipeline):
    return sum(pipeline.connection.call("XLEN", keys.dead(tag)) for tag in pipeline.defs.tags)


def test_entries_of_a_dead_consumer_are_claimed_and_no_event_is_emitted_twice(pipeline, event):
    pipeline.add("raw", *[event(n) for n in range(1, 9)])
    run_until_death(pipeline, dies_of(3), "dead")
    with pipeline.loop("name", passing, "heir"):
        wait_until(lambda: len(pipeline.inside("named")) == 8, "all events went on")
    assert pipeline.ids("named") == [event(n).id for n in range(1, 9)]


def test_a_restarted_consumer_of_the_same_name_finds_its_own_work_at_once(pipeline, event):
    pipeline.add("raw", event(1))
    run_until_death(pipeline, dies_of(1), "slot-1")
    loop = Loop(pipeline.consumer("name", "slot-1"), passing, threading.Event())
    loop._consumer.prepare()
    assert [entry.tries for entry in loop._next_batch()] == [2]


def test_an_event_that_kills_its_consumers_goes_to_the_dead_letters_alone(pipeline, event):
    pipeline.add("raw", *[event(n) for n in range(1, 21)])
    for _ in range(pipeline.defs.stages["name"].tries):
        run_until_death(pipeline, dies_of(7), "slot-1")
    with pipeline.loop("name", dies_of(7), "slot-1"):
        wait_until(
            lambda: pending(pipeline) == 0 and len(pipeline.inside("named")) == 19,
            "the neighbours went on",
        )
    assert dead_letters(pipeline) == 1
    assert event(7).id not in pipeline.ids("named")


def test_a_stage_that_raises_for_one_event_rejects_that_one(pipeline, event):
    def raises(events):
        if any(event.id == f"{4:032x}" for event in events):
            raise ZeroDivisionError("four is too many")
        return passing(events)

    pipeline.add("raw", *[event(n) for n in range(1, 9)])
    with pipeline.loop("name", raises):
        wait_until(
            lambda: len(pipeline.inside("named")) == 7 and dead_letters(pipeline) == 1,
            "seven on, one dead",
        )


def test_an_entry_that_is_no_event_goes_to_the_dead_letters(pipeline, event):
    pipeline.connection.call(
        "XADD", keys.stream(pipeline.defs.tags[0], "raw"), "*", "foreign", "field"
    )
    pipeline.add("raw", event(1))
    with pipeline.loop("name", passing):
        wait_until(
            lambda: dead_letters(pipeline) == 1 and pipeline.ids("named") == [event(1).id],
            "one dead, one on",
        )


def test_while_a_server_is_away_the_same_batch_is_tried_again_without_a_new_delivery(
    pipeline, event
):
    away = threading.Event()
    away.set()
    batch_sizes = []

    def work(events):
        batch_sizes.append(len(events))
        if away.is_set():
            raise UnavailableError("MongoDB is away")
        return passing(events)

    pipeline.add("raw", event(1), event(2))
    with pipeline.loop("name", work) as loop:
        tries = pipeline.defs.stages["name"].tries
        wait_until(lambda: len(batch_sizes) > tries + 2, "it tries again and again")
        assert loop.not_ready_reason == "MongoDB is away"
        away.clear()
        wait_until(lambda: len(pipeline.inside("named")) == 2, "both went on")
    assert dead_letters(pipeline) == 0


def test_a_stage_that_raises_for_most_events_stops_instead_of_rejecting_them():
    breaker = Breaker(window=20, share=0.5, least=5, in_a_row=100)
    breaker.record([False] * 10)
    with pytest.raises(BreakerOpenError):
        breaker.record([True] * 11)
    with pytest.raises(BreakerOpenError):
        breaker.record([True] * 4)
    breaker.record([True, False])
    assert not breaker.is_open


@pytest.mark.parametrize("healthy_before", [0, 1000])
@pytest.mark.parametrize("batch", [1, 2, 500])
def test_the_breaker_holds_at_any_rate(batch, healthy_before):
    """At 20 events a second, 800 of 800 events of a stage that always raised were rejected."""
    breaker, rejected = Breaker(), 0
    for _ in range(healthy_before):
        breaker.record([False])
    for _ in range(100):
        try:
            breaker.record([True] * batch)
        except BreakerOpenError:
            assert breaker.is_open
        else:
            rejected += batch
    assert rejected < 5


def is_open(loop):
    """The stage says that the breaker is open."""
    return "made the stage raise" in loop.not_ready_reason


def test_a_stage_that_always_raises_loses_only_its_first_probes_and_recovers(pipeline, event):
    broken = threading.Event()
    broken.set()

    def work(events):
        if broken.is_set():
            raise ZeroDivisionError("a bug")
        return passing(events)

    with pipeline.loop("name", work) as loop:
        for number in range(30):  # one by one, as at a low rate
            pipeline.add("raw", event(number))
            wait_until(
                lambda n=number: (
                    dead_letters(pipeline) > n or "stage raise" in loop.not_ready_reason
                ),
                "it is rejected, or waits",
            )
        lost = dead_letters(pipeline)
        assert lost < 5
        broken.clear()
        wait_until(lambda: len(pipeline.inside("named")) == 30 - lost, "all others went on")
    assert dead_letters(pipeline) == lost


def test_good_events_behind_bad_ones_close_the_breaker(pipeline, event):
    """Else ten bad events in a row would stop the stage for everybody."""

    def work(events):
        if any(int(one.id, 16) < 10 for one in events):
            raise ZeroDivisionError("below ten")
        return passing(events)

    pipeline.add("raw", *[event(n) for n in range(10)])
    with pipeline.loop("name", work) as loop:
        wait_until(lambda: is_open(loop), "the breaker is open")
        pipeline.add("raw", *[event(n) for n in range(10, 40)])
        wait_until(lambda: len(pipeline.inside("named")) == 30, "the good ones went on")
        wait_until(lambda: dead_letters(pipeline) == 10, "the bad ones are dead letters")


def test_bad_data_does_not_open_the_breaker(pipeline, event):
    """Else anybody who can post could stop the pipeline."""
    consumer = pipeline.consumer("name")
    for _ in range(40):
        pipeline.connection.call(
            "XADD", keys.stream(pipeline.defs.tags[0], "raw"), "*", "foreign", "field"
        )
    breaker = Breaker(least=5)
    while batch := consumer.read():
        consumer.commit(answer_batch(passing, batch, 3, breaker))
    assert dead_letters(pipeline) == 40


def test_a_flushed_redis_is_set_up_again_and_nothing_added_later_is_skipped(pipeline, event):
    with pipeline.loop("name", passing):
        pipeline.add("raw", event(1))
        wait_until(lambda: pipeline.ids("named") == [event(1).id], "the first went on")
        pipeline.connection.call("FLUSHALL")
        pipeline.add("raw", event(2), event(3))
        wait_until(
            lambda: pipeline.ids("named") == [event(2).id, event(3).id], "the later ones went on"
        )


def test_a_consumer_that_leaves_hands_over_its_pending_entries(pipeline, event):
    pipeline.add("raw", event(1), event(2))
    leaving = pipeline.consumer("name", "leaving")
    assert len(leaving.read()) == 2
    leaving.release()
    heir = pipeline.consumer("name", "heir")
    assert heir.claim_abandoned(FROM_THE_START).vanished == 0
    assert [entry.deliveries for entry in heir.pending()] == [1, 1]
    names = [flat[1] for tag in pipeline.defs.tags for flat in _consumers(pipeline, tag)]
    assert b"leaving" not in names


def test_an_entry_that_vanished_while_it_was_pending_is_reported_once(pipeline, event):
    pipeline.add("raw", event(1))
    pipeline.consumer("name", "dead").read()
    for tag in pipeline.defs.tags:
        pipeline.connection.call("XTRIM", keys.stream(tag, "raw"), "MINID", "9999999999999-0")
    heir = pipeline.consumer("name", "heir")
    wait_until(lambda: heir.claim_abandoned(FROM_THE_START).vanished == 1, "the loss is reported")
    assert heir.claim_abandoned(FROM_THE_START).vanished == 0


def test_what_another_consumer_has_committed_meanwhile_has_not_vanished(pipeline, event):
    """A sink that started and had much to claim reported losses, and nothing was missing."""
    pipeline.add("raw", event(1), event(2), event(3))
    slow, other = pipeline.consumer("name", "slow"), pipeline.consumer("name", "other")
    slow.read()
    listed = slow.pending()
    other.claim(HeldEntry(one.partition, one.id, b"slow", 1) for one in listed[:2])
    batch = other.deliver(other.pending()).entries
    other.commit(answer_batch(passing, batch, 3, Breaker(least=5)))
    delivered = slow.deliver(listed)
    assert [entry.id for entry in delivered.entries] == [one.id for one in listed[2:]]
    assert delivered.vanished == 0


@pytest.mark.parametrize("how", ["XDEL", "XTRIM"])
def test_an_entry_that_vanishes_before_it_is_delivered_again_is_reported(pipeline, event, how):
    pipeline.add("raw", event(1), event(2))
    consumer = pipeline.consumer("name")
    consumer.read()
    listed = consumer.pending()
    stream = keys.stream(pipeline.defs.tags[listed[0].partition], "raw")
    more = (listed[0].id,) if how == "XDEL" else ("MINID", f"{listed[0].id}1")
    assert pipeline.connection.call(how, stream, *more) == 1
    delivered = consumer.deliver(listed)
    assert (len(delivered.entries), delivered.vanished) == (1, 1)


def test_an_event_replayed_for_another_stage_is_not_worked_on(pipeline, event):
    tag = pipeline.defs.tags[0]
    for name in ("dedupe", "name"):
        flat = (
            b"id",
            event(1).id,
            b"head",
            b'{"project":"1","received":1,"kind":"named","facts":{}}',
            b"body",
            b"{}",
        )
        pipeline.connection.call("XADD", keys.stream(tag, "raw"), "*", *flat, "for", name)
    with pipeline.loop("name", passing):
        wait_until(
            lambda: pending(pipeline) == 0 and len(pipeline.inside("named")) == 1,
            "one was for this stage",
        )
    assert all(b"for" not in fields for fields in pipeline.inside("named"))


def test_a_lost_reply_does_not_lose_what_it_delivered(pipeline, event):
    """After a lost reply of XREADGROUP its entries are pending, and `>` does not return them."""
    pipeline.add("raw", event(1), event(2))
    pipeline.consumer("name", "a").read()
    with pipeline.loop("name", passing, "a"):
        wait_until(lambda: len(pipeline.inside("named")) == 2, "both went on")


def test_silent_consumers_are_reaped_but_never_one_with_pending_entries(pipeline, event):
    """Each killed process left a consumer for ever; some partitions had seven."""
    pipeline.add("raw", *[event(n) for n in range(4)])
    holding = pipeline.consumer("name", "holding")
    batch = holding.read()
    pipeline.add("raw", *[event(n) for n in range(10, 14)])
    silent = pipeline.consumer("name", "silent")
    silent.commit([(entry, Drop("x")) for entry in silent.read()])
    reaper = pipeline.consumer("name", "reaper")
    assert reaper.reap(timedelta(hours=1)) == 0
    wait_until(lambda: reaper.reap(timedelta(milliseconds=20)), "the silent one is reaped")
    names = {flat[1] for tag in pipeline.defs.tags for flat in _consumers(pipeline, tag)}
    assert b"holding" in names
    assert b"silent" not in names
    assert holding.commit([(entry, Drop("x")) for entry in batch]).won == len(batch) == 4


def _consumers(pipeline, tag):
    return pipeline.connection.call("XINFO CONSUMERS", keys.stream(tag, "raw"), "name")


def test_an_event_cannot_be_changed(event):
    unchangeable: Event = event(1)
    with pytest.raises(AttributeError):
        unchangeable.id = "other"


def test_a_very_long_outage_does_not_end_the_process(pipeline):
    """After 1,024 failures in a row, an hour and a half, the stage ended with an OverflowError."""
    stopping = threading.Event()
    stopping.set()
    loop = Loop(pipeline.consumer("name"), passing, stopping)
    loop._wait(UnavailableError("Redis is away"), 5000)
    assert loop.not_ready_reason == "Redis is away"
