"""What every stage must do, whoever writes it. Tests each stage of streamdefs.yaml."""

from __future__ import annotations

import orjson
import pytest

from catchwater.answers import Drop, Emit, Reject
from catchwater.config.streamdefs import SINK, load
from catchwater.event import CLIENT_REPORT, Event, decode, encode
from catchwater.streams.stage_loader import load_stages
from catchwater.testing import CRASH, DUPLICATE, run

DEFS = load()
STAGES = [name for name, stage in DEFS.stages.items() if stage.run != [SINK]]
FACTS = {
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0",
    "origin": "https://shop.example",
    "ip": "10.0.0.1",
}
REPORT = {
    "type": "TypeError",
    "message": "x is undefined",
    "stack": "TypeError: x is undefined\n    at pay (https://shop.example/app.js:3:5)",
    "page": "https://shop.example/cart",
}


def chain(name: str):
    work = load_stages(DEFS, [name], None)[name].work
    return lambda event: work([event])[0]


def inputs(name: str, count: int = 4) -> list[Event]:
    """Events as they reach the stage: raw ones, passed through the stages before it."""
    events = [
        Event(f"{n:032x}", "1", 1_763_900_000_000 + n, "snippet", orjson.dumps(REPORT), FACTS)
        for n in range(count)
    ]
    for before in DEFS.counting_path:
        if before == name:
            return events
        events = run(chain(before), events).emitted
    return events


HOSTILE = [
    b"{}",
    b"[]",
    b"null",
    b'"text"',
    b"17",
    b'{"message": null, "stack": 17, "type": [], "tags": "x", "user": 1, "breadcrumbs": {}}',
    (
        b'{"message": "\\u0000", "stack": "\\u0000\\n\\n at (", "extra": {"$where": 1, "a.b": '
        b'{"$c": '
        b"[]}}}"
    ),
    orjson.dumps({"message": "x" * 200_000, "stack": "at f (" * 50_000}),
    orjson.dumps({"message": "<script>alert(1)</script>", "type": "<img src=x onerror=alert(1)>"}),
    b'{"extra": ' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}",
]


@pytest.mark.parametrize("name", STAGES)
class TestEveryStage:
    def test_answers_each_event_with_one_of_the_three_answers(self, name):
        assert all(isinstance(chain(name)(event), Emit | Drop | Reject) for event in inputs(name))

    def test_answers_the_same_event_in_the_same_way_each_time(self, name):
        event = inputs(name, 1)[0]
        assert chain(name)(event) == chain(name)(decode(encode(event)))

    def test_emits_an_event_that_can_travel(self, name):
        answers = [chain(name)(event) for event in inputs(name)]
        assert [decode(encode(one.event)) for one in answers if isinstance(one, Emit)] == [
            one.event for one in answers if isinstance(one, Emit)
        ]

    def test_keeps_id_project_and_time_of_an_event(self, name):
        for event in inputs(name):
            answer = chain(name)(event)
            assert isinstance(answer, Emit)
            emitted = answer.event
            assert (emitted.id, emitted.project, emitted.received) == (
                event.id,
                event.project,
                event.received,
            )

    def test_does_not_change_the_event_that_it_gets(self, name):
        event = inputs(name, 1)[0]
        before = encode(event)
        chain(name)(event)
        assert encode(event) == before

    def test_comes_to_the_same_with_crashes_and_second_owners(self, name):
        e1, e2, e3, e4 = inputs(name)
        smooth, rough = (
            run(chain(name), [e1, e2, e3, e4]),
            run(chain(name), [e1, CRASH, e2, DUPLICATE, e3, CRASH, DUPLICATE, e4]),
        )
        assert sorted(event.id for event in rough.emitted) == sorted(
            event.id for event in smooth.emitted
        )
        assert (rough.counted, rough.dropped, rough.rejected) == (
            smooth.counted,
            smooth.dropped,
            smooth.rejected,
        )

    def test_emits_a_client_report_unchanged_or_counts_it(self, name):
        """An event that is no error: no stage may lose it, or look into it."""
        event = Event("0" * 32, "1", 1, CLIENT_REPORT, b"{}", {"cap": 3})
        match chain(name)(event):
            case Emit(emitted):
                assert emitted == event
            case answer:
                assert isinstance(answer, Drop)
                assert answer.client_reports == {"cap": 3}

    @pytest.mark.parametrize("kind", ["snippet", "sentry", "report", "csp", "named", "unknown"])
    @pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
    def test_never_raises_for_bad_data(self, name, body, kind):
        """An exception is a bug and opens the breaker: bad data must not stop a stage."""
        facts = inputs(name, 1)[0].facts
        assert isinstance(
            chain(name)(Event("0" * 32, "1", 1, kind, body, facts)), Emit | Drop | Reject
        )
