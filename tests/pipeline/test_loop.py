"""The loop on a real Redis: crashes, poison, outages. A crash is an event in the input."""

from __future__ import annotations

import threading

import pytest

from catchwater import keys
from catchwater.answers import Emit
from catchwater.attempt import Breaker, Broken, attempt
from catchwater.connection import Unavailable
from catchwater.event import Event
from catchwater.runtime import Loop
from tests.waiting import wait_until


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


def depth(pipeline, stage="name", stream="raw"):
    pending = [pipeline.connection.call("XPENDING", keys.stream(tag, stream), stage)[0] for tag in pipeline.defs.tags]
    return sum(pending)


def dead_letters(pipeline):
    return sum(pipeline.connection.call("XLEN", keys.dead(tag)) for tag in pipeline.defs.tags)


def test_what_a_dead_consumer_held_is_taken_over_and_nothing_comes_twice(pipeline, event):
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
    assert [entry.tries for entry in loop._batch()] == [2]


def test_an_event_that_kills_its_consumers_goes_to_the_dead_letters_alone(pipeline, event):
    pipeline.add("raw", *[event(n) for n in range(1, 21)])
    for _ in range(pipeline.defs.stages["name"].tries):
        run_until_death(pipeline, dies_of(7), "slot-1")
    with pipeline.loop("name", dies_of(7), "slot-1"):
        wait_until(lambda: depth(pipeline) == 0 and len(pipeline.inside("named")) == 19, "the neighbours went on")
    assert dead_letters(pipeline) == 1
    assert event(7).id not in pipeline.ids("named")


def test_a_stage_that_raises_for_one_event_rejects_that_one(pipeline, event):
    def raises(events):
        if any(event.id == f"{4:032x}" for event in events):
            raise ZeroDivisionError("four is too many")
        return passing(events)

    pipeline.add("raw", *[event(n) for n in range(1, 9)])
    with pipeline.loop("name", raises):
        wait_until(lambda: len(pipeline.inside("named")) == 7 and dead_letters(pipeline) == 1, "seven on, one dead")


def test_an_entry_that_is_no_event_goes_to_the_dead_letters(pipeline, event):
    pipeline.connection.call("XADD", keys.stream(pipeline.defs.tags[0], "raw"), "*", "foreign", "field")
    pipeline.add("raw", event(1))
    with pipeline.loop("name", passing):
        wait_until(lambda: dead_letters(pipeline) == 1 and pipeline.ids("named") == [event(1).id], "one dead, one on")


def test_while_a_server_is_away_the_batch_is_kept_and_is_no_new_delivery(pipeline, event):
    away = threading.Event()
    away.set()
    asked = []

    def work(events):
        asked.append(len(events))
        if away.is_set():
            raise Unavailable("MongoDB is away")
        return passing(events)

    pipeline.add("raw", event(1), event(2))
    with pipeline.loop("name", work) as loop:
        wait_until(lambda: len(asked) > pipeline.defs.stages["name"].tries + 2, "it keeps trying")
        assert loop.trouble == "MongoDB is away"
        away.clear()
        wait_until(lambda: len(pipeline.inside("named")) == 2, "both went on")
    assert dead_letters(pipeline) == 0


def test_a_stage_that_raises_for_most_events_stops_instead_of_killing_them():
    breaker = Breaker(window=20, share=0.5, least=5)
    breaker.judge([False] * 10)
    with pytest.raises(Broken):
        breaker.judge([True] * 11)
    breaker.judge([True] * 4)


def test_bad_data_does_not_open_the_breaker(pipeline, event):
    """Else anybody who can post could stop the pipeline."""
    consumer = pipeline.consumer("name")
    for _ in range(40):
        pipeline.connection.call("XADD", keys.stream(pipeline.defs.tags[0], "raw"), "*", "foreign", "field")
    breaker = Breaker(least=5)
    while batch := consumer.read():
        consumer.commit(attempt(passing, batch, 3, breaker))
    assert dead_letters(pipeline) == 40


def test_a_flushed_redis_is_set_up_again_and_nothing_added_later_is_skipped(pipeline, event):
    with pipeline.loop("name", passing):
        pipeline.add("raw", event(1))
        wait_until(lambda: pipeline.ids("named") == [event(1).id], "the first went on")
        pipeline.connection.call("FLUSHALL")
        pipeline.add("raw", event(2), event(3))
        wait_until(lambda: pipeline.ids("named") == [event(2).id, event(3).id], "the later ones went on")


def test_a_consumer_that_leaves_hands_over_what_it_holds(pipeline, event):
    pipeline.add("raw", event(1), event(2))
    leaving = pipeline.consumer("name", "leaving")
    assert len(leaving.read()) == 2
    leaving.release()
    _, lost = (heir := pipeline.consumer("name", "heir")).take_over([b"0-0", b"0-0"])
    assert lost == 0
    assert sorted(one.deliveries for one in heir.held()) == [1, 1]
    names = [flat[1] for tag in pipeline.defs.tags for flat in _consumers(pipeline, tag)]
    assert b"leaving" not in names


def test_an_entry_that_vanished_while_it_was_pending_is_told_once(pipeline, event):
    pipeline.add("raw", event(1))
    pipeline.consumer("name", "dead").read()
    for tag in pipeline.defs.tags:
        pipeline.connection.call("XTRIM", keys.stream(tag, "raw"), "MINID", "9999999999999-0")
    heir = pipeline.consumer("name", "heir")
    wait_until(lambda: heir.take_over([b"0-0", b"0-0"])[1] == 1, "the loss was told")
    assert heir.take_over([b"0-0", b"0-0"])[1] == 0


def test_what_was_replayed_for_another_stage_is_not_worked_on_twice(pipeline, event):
    tag = pipeline.defs.tags[0]
    for name in ("dedupe", "name"):
        flat = (b"id", event(1).id, b"head", b'{"project":"1","received":1,"kind":"named","facts":{}}', b"body", b"{}")
        pipeline.connection.call("XADD", keys.stream(tag, "raw"), "*", *flat, "for", name)
    with pipeline.loop("name", passing):
        wait_until(lambda: depth(pipeline) == 0 and len(pipeline.inside("named")) == 1, "one was for this stage")
    assert all(b"for" not in fields for fields in pipeline.inside("named"))


def test_a_lost_reply_does_not_lose_what_it_delivered(pipeline, event):
    """The reply of XREADGROUP is lost: its entries are pending for us and `>` never shows them again."""
    pipeline.add("raw", event(1), event(2))
    pipeline.consumer("name", "a").read()
    with pipeline.loop("name", passing, "a"):
        wait_until(lambda: len(pipeline.inside("named")) == 2, "both went on")


def _consumers(pipeline, tag):
    return pipeline.connection.call("XINFO CONSUMERS", keys.stream(tag, "raw"), "name")


def test_an_event_stands_still_while_it_travels(event):
    one: Event = event(1)
    with pytest.raises(AttributeError):
        one.id = "other"
