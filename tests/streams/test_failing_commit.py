"""Redis does not undo what a script did that ends by an error: no entry may end it."""

from __future__ import annotations

import pytest

from catchwater.answers import Drop
from catchwater.event import CLIENT_REPORT, decode
from catchwater.monitoring.snapshot import take
from catchwater.streams import dead_letters, keys
from catchwater.streams.commit import CommitTotals
from catchwater.streams.stage_loader import chain
from stages.count import count
from stages.dedupe import dedupe
from tests.streams.committed import bodies, highest_values, tallied


@pytest.mark.parametrize("said", [True, 10**17, 2**63, 10**25])
def test_a_client_report_that_says_what_is_no_number_counts_nothing(pipeline, event, said):
    """It ended the script after entries had been acknowledged: a whole batch was lost."""
    pipeline.add("unique", event(1), event(1))
    consumer = pipeline.consumer("count")
    first, second = consumer.read()
    answers = [(first, Drop("client_report", {"cap": said})), *tallied([second])]
    assert consumer.commit(answers) == CommitTotals(won=2, dropped=1, emitted=1)
    assert take(pipeline.connection, pipeline.defs).client_losses == {}


def only_letter_of_three(pipeline, event):
    """The dead letter of an event whose issue is bad; those around it are counted."""
    pipeline.add("unique", event(1), event(1, issue="1:v1:bad"), event(1))
    consumer = pipeline.consumer("count")
    totals = consumer.commit(tallied(consumer.read()))
    assert (totals.won, totals.dead) == (3, 1)
    assert highest_values(pipeline, "202511")["events\t1:v1:a"] == 2
    (letter,) = dead_letters.letters(pipeline.connection, pipeline.defs)
    return letter


def test_an_entry_whose_commit_fails_becomes_a_dead_letter_and_its_neighbours_are_counted(
    pipeline, event
):
    """Redis does not undo what a script did that ends by an error."""
    tag = pipeline.defs.tags[pipeline.defs.partition_of(event(1).id)]
    pipeline.connection.call("SET", keys.tally(tag, "202511", "1:v1:bad"), "no hash", "EX", 60)
    letter = only_letter_of_three(pipeline, event)
    assert letter.why.startswith("its commit failed: ")
    assert "WRONGTYPE" in letter.why


NO_NUMBERS = ("many", "1e5", "nan", "inf", "0x10", " 5 ", "1.5", "9007199254740993", "1e300")


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_a_counter_that_is_no_number_makes_a_dead_letter_of_its_event_alone(pipeline, event, text):
    """Counters are written at the end of the script, where an error would lose the batch."""
    tag = pipeline.defs.tags[pipeline.defs.partition_of(event(1).id)]
    bad = keys.tally(tag, "202511", "1:v1:bad")
    pipeline.connection.call("HSET", bad, "_part", "1 99999999999", "events", text)
    pipeline.connection.call("EXPIRE", bad, 600)
    letter = only_letter_of_three(pipeline, event)
    assert "is no number" in letter.why
    assert bad in letter.why
    assert pipeline.connection.call("HGET", bad, "events") == text.encode()


READ = [("2025112312", one) for one in ("events", "more", "samples")]
READ += [("202511", one) for one in ("events", "more", "samples", "names")]
READ += [("202511", one) for one in ("tag\ta\tb", "distinct\ta")]


@pytest.mark.parametrize(("bucket", "field"), READ)
def test_an_event_whose_commit_fails_is_not_counted_in_part(pipeline, event, bucket, field):
    """Replayed, it would be there twice."""
    tag = pipeline.defs.tags[pipeline.defs.partition_of(event(1).id)]
    bad = keys.tally(tag, bucket, "1:v1:bad")
    pipeline.connection.call("HSET", bad, "_part", "1 99999999999", field, "many")
    pipeline.connection.call("EXPIRE", bad, 600)
    pipeline.add("unique", event(1), event(1, issue="1:v1:bad", n=2, tags={"a": "b"}))
    consumer = pipeline.consumer("count")
    totals = consumer.commit(tallied(consumer.read()))
    assert (totals.won, totals.dead, totals.emitted) == (2, 1, 1)
    assert take(pipeline.connection, pipeline.defs).counted == {"202511": 1}
    for one in ("202511", "2025112312"):
        assert highest_values(pipeline, one) == {"events\t1:v1:a": 1}
    assert "1:v1:bad" not in bodies(pipeline)[0]["issues"]


@pytest.mark.parametrize("n", [1.5, 10**17, 1e300, "5", 2**53])
def test_an_event_that_stands_for_no_number_of_others_is_a_dead_letter_alone(pipeline, event, n):
    """A stage of one's own may say so."""
    pipeline.add("unique", event(1), event(1, n=n, tags={"a": "b"}), event(1))
    consumer = pipeline.consumer("count")
    totals = consumer.commit(tallied(consumer.read()))
    assert (totals.won, totals.dead, totals.emitted) == (3, 1, 2)
    assert highest_values(pipeline, "202511") == {"events\t1:v1:a": 2}
    assert take(pipeline.connection, pipeline.defs).counted == {"202511": 2}


def test_a_client_report_is_counted_once_in_stages_that_are_chained_too(pipeline, event):
    """The mark of the first stage was lost with the event that the second one dropped."""
    told = event(1).with_(kind=CLIENT_REPORT, facts={"cap": 7})
    pipeline.add("raw", told, told, told)
    consumer, both = pipeline.consumer("name"), chain(dedupe.function, count.function)
    answers = [(entry, both(decode(entry.fields))) for entry in consumer.read()]
    assert consumer.commit(answers) == CommitTotals(won=3, dropped=1, duplicate=2)
    assert take(pipeline.connection, pipeline.defs).client_losses == {"cap": 7}
