from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prometheus_client import REGISTRY

from catchwater.answers import Answer, Drop, Emit, Reject, Stored, Tally
from catchwater.monitoring.poller import PipelinePoller, Rates
from catchwater.streams import keys
from dashboard.health_summary import summarise
from dashboard.stored_counts import StoredCounts
from tests.dashboard import documents as made
from tests.dashboard.conftest import NOWHERE
from tests.dashboard.flow import Flow, flow_on
from tests.dashboard.markup import Tags
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pymongo.database import Database

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.event import Event
    from tests.dashboard.conftest import Open, Site

    Mongo = Database[dict[str, Any]]

STAGE_FIELDS = {
    "stage",
    "reads",
    "depth",
    "unread",
    "pending",
    "oldest_age_s",
    "consumers",
    "dead",
    "done_total",
    "rate",
}
APART = {
    *("counted", "duplicates", "occurrences", "stored", "occurrences_stored", "lost_by_redis"),
}
"""What the test of all fields together leaves out."""

AUDIT_FIELDS = {
    "accepted",
    "counted",
    "duplicates",
    "dropped",
    "dead",
    "depth",
    "stored",
    "occurrences",
    "occurrences_stored",
    "refused",
    "client_losses",
    "lost_by_redis",
    "on_the_way",
    "missing",
    "adds_up",
}


def stages(site: Site) -> dict[str, Any]:
    return {stage["stage"]: stage for stage in fresh(site)["stages"]}


def fresh(site: Site) -> Any:
    """A reading that began after this call: one that is shared may be a second old."""
    taken = site.get("/api/pipeline").json["taken"]
    return wait_until(
        lambda: (found := site.get("/api/pipeline").json)["taken"] != taken and found,
        "a new reading",
    )


def test_every_stage_is_shown_with_what_waits_for_it(site: Site, flow: Flow):
    flow.accept(12)
    found = fresh(site)
    assert [stage["stage"] for stage in found["stages"]] == [
        "fingerprint",
        "dedupe",
        "count",
        "sink",
    ]
    assert {frozenset(stage) for stage in found["stages"]} == {frozenset(STAGE_FIELDS)}
    first = found["stages"][0]
    assert first["oldest_age_s"] >= 0
    numbers = {name: first[name] for name in STAGE_FIELDS - {"oldest_age_s"}}
    assert numbers == {
        "stage": "fingerprint",
        "reads": "raw",
        "depth": 12,
        "unread": 12,
        "pending": 0,
        "consumers": 0,
        "dead": 0,
        "done_total": 0,
        "rate": 0.0,
    }
    flow.move("fingerprint")
    moved = stages(site)
    assert (moved["fingerprint"]["depth"], moved["fingerprint"]["done_total"]) == (0, 12)
    assert moved["dedupe"]["depth"] == 12


def test_the_audit_adds_up_and_says_where_every_event_went(site: Site, flow: Flow, mongo: Mongo):
    flow.accept(20)
    refused, client = ("refused:rate", 3), ("client:queue", 4)
    flow.connection.calls([("HINCRBY", keys.UNACCEPTED, *one) for one in (refused, client)])

    def name(place: int, event: Event) -> Answer:
        return Drop("crawler") if place < 2 else Reject("broken") if place == 2 else Emit(event)

    flow.move("fingerprint", name)
    same = {flow.defs.partition_of(f"{n:032x}"): 0 for n in range(20)}
    moved = flow.move(
        "dedupe", lambda _, event: Emit(event, once=str(flow.defs.partition_of(event.id)))
    )
    issue = made.issue("pay")
    flow.move("count", lambda _, event: Emit(event, tally=Tally(issue["_id"])))
    epochs, month = flow.epochs(), datetime.now(UTC).strftime("%Y%m")
    counted = wait_until(
        lambda: fresh(site)["audit"]["counted"], "the audit knows what was counted"
    )
    parts = {f"{month}-{tag}-{epoch}-1": 0 for tag, epoch in epochs.items()}
    parts[f"{month}-{next(iter(epochs))}-{next(iter(epochs.values()))}-1"] = counted
    old = {
        f"{month}-p1-0ldl1fe-1": 1000,
        f"201001-{next(iter(epochs))}-{next(iter(epochs.values()))}-1": 1000,
    }
    mongo.issues.insert_many([issue | {"parts": parts | old}, {"_id": "9:v1:x"}])
    flow.move("sink", lambda _, __: Stored())
    audit = wait_until(
        lambda: (found := fresh(site)["audit"])["stored"] and found, "MongoDB is summed up"
    )
    assert set(audit) == AUDIT_FIELDS
    assert audit["duplicates"] == moved - counted
    assert counted <= len(same)
    assert {name: audit[name] for name in sorted(AUDIT_FIELDS - APART)} == {
        "accepted": 20,
        "dropped": {"crawler": 2},
        "dead": 1,
        "depth": 0,
        "refused": {"rate": 3},
        "client_losses": {"queue": 4},
        "on_the_way": 0,
        "missing": 0,
        "adds_up": True,
    }
    text = site.get("/pipeline").text
    assert "It adds up to the digit" in text
    assert "MongoDB holds exactly what was counted" in text
    for words in ("crawler", "rate", "queue", "gave up on 1"):
        assert words in text, words


def test_what_redis_lost_stands_beside_the_audit(site: Site, flow: Flow, mongo: Mongo):
    assert "fell back" not in site.get("/pipeline").text
    flow.connection.call("HINCRBY", keys.UNACCEPTED, "lost:redis", 1922)
    wait_until(lambda: fresh(site)["audit"]["lost_by_redis"] == 1922, "the loss is read")
    assert "lost 1,922 events" in Tags(site.get("/pipeline").text).text


def test_mongodb_holding_too_few_or_too_many_is_told(site: Site, flow: Flow, mongo: Mongo):
    flow.accept(4)
    for stage in ("fingerprint", "dedupe"):
        flow.move(stage)
    flow.move("count", lambda _, event: Emit(event, tally=Tally("1:v1:a")))
    waiting = wait_until(
        lambda: (found := fresh(site)["audit"])["counted"] and found, "the audit knows them"
    )
    assert (waiting["stored"], waiting["counted"], waiting["adds_up"]) == (0, 4, True), (
        "the sink has still to write"
    )
    flow.move("sink", lambda _, __: Stored())
    wait_until(lambda: fresh(site)["audit"]["adds_up"] is False, "the audit sees that they differ")
    assert "MongoDB holds 0 of 4 counted events" in site.get("/pipeline").text
    tag, epoch = next(iter(flow.epochs().items()))
    month = datetime.now(UTC).strftime("%Y%m")
    mongo.issues.insert_one(made.issue("a") | {"parts": {f"{month}-{tag}-{epoch}-1": 5}})
    many = wait_until(
        lambda: (found := fresh(site)["audit"])["stored"] and found, "MongoDB is summed up again"
    )
    assert (many["stored"], many["adds_up"]) == (5, False)


def test_the_audit_is_never_falsely_alarmed_while_events_flow(
    flow: Flow, mongo: Mongo, mongo_url: str, defs: StreamDefs
):
    """MongoDB and Redis are read one after the other, and what happens in between must not look
    like a loss.
    """
    flowing = threading.Event()
    worker = threading.Thread(target=flow_on, args=(flow, mongo, flowing))
    worker.start()

    try:
        with closing(StoredCounts(mongo_url)) as stored_counts:
            poller = PipelinePoller(flow.connection.url, defs, stored_counts)
            found = [poller.read_now().audit for _ in range(300)]
    finally:
        flowing.set()
        worker.join()
    assert len({audit.counted for audit in found}) > 10, "something flowed meanwhile"
    assert [audit for audit in found if not audit.adds_up] == []


def test_without_mongodb_the_pipeline_is_still_shown_and_its_side_is_unknown(
    opened: Open, flow: Flow
):
    site = opened(NOWHERE, flow.connection.url)
    flow.accept(2)
    audit = site.get("/api/pipeline").json["audit"]
    assert audit["stored"] is None
    page = site.get("/pipeline")
    assert page.status == 200
    assert "MongoDB does not answer" in page.text


def test_without_redis_issues_are_still_shown_and_the_pipeline_answers_503(
    opened: Open, mongo: Mongo, mongo_url: str
):
    mongo.issues.insert_one(made.issue("pay"))
    site = opened(mongo_url, "redis://127.0.0.1:1/0")
    assert len(site.issues()["issues"]) == 1
    answer = site.get("/api/pipeline")
    assert answer.status == 503
    assert answer.json["error"].startswith("Redis is away")
    assert "Waiting for a server" in site.get("/pipeline").text


def test_prometheus_sees_depth_age_and_audit_though_nobody_looks(site: Site, flow: Flow):
    flow.accept(7)
    labels = {"stage": "fingerprint", "reads": "raw"}
    wait_until(
        lambda: REGISTRY.get_sample_value("catchwater_depth", labels) == 7, "the depth is exported"
    )
    assert REGISTRY.get_sample_value("catchwater_oldest_age_seconds", labels) is not None
    assert REGISTRY.get_sample_value("catchwater_audit", {"part": "accepted"}) == 7
    assert REGISTRY.get_sample_value("catchwater_audit", {"part": "stored"}) == 0
    assert REGISTRY.get_sample_value("catchwater_audit_adds_up") == 1
    assert REGISTRY.get_sample_value("catchwater_redis_up") == 1


def test_prometheus_is_told_that_redis_is_away_and_no_old_number(opened: Open, mongo_url: str):
    opened(mongo_url, "redis://127.0.0.1:1/0")
    assert REGISTRY.get_sample_value("catchwater_redis_up") == 0
    assert REGISTRY.get_sample_value("catchwater_audit_adds_up") is None


ALL = {"p0": "x"}


def test_a_rate_is_what_was_done_over_the_last_seconds():
    rates = Rates()
    assert rates.add(100.0, {"a": 50}, ALL) == {"a": 0.0}
    assert rates.add(101.0, {"a": 60}, ALL) == {"a": 10.0}
    assert rates.add(102.0, {"a": 90, "b": 5}, ALL) == {"a": 20.0, "b": 0.0}
    for second in range(103, 140):
        last = rates.add(float(second), {"a": 90 + second}, ALL)
    assert last == {"a": 1.0}, "what was before the span is forgotten"
    began_anew = rates.add(140.0, {"a": 0}, ALL)
    assert began_anew == {"a": 0.0}, "a Redis that began anew is no negative rate"


def test_a_node_that_goes_and_comes_is_no_rate():
    """What its partitions have ever done would be done within a second."""
    rates = Rates()
    rates.add(100.0, {"a": 1000}, {"p0": "x", "p1": "y"})
    assert rates.add(101.0, {"a": 500}, {"p0": "x"}) == {"a": 0.0}
    assert rates.add(102.0, {"a": 510}, {"p0": "x"}) == {"a": 10.0}
    assert rates.add(103.0, {"a": 1020}, {"p0": "x", "p1": "y"}) == {"a": 0.0}
    assert rates.add(104.0, {"a": 1030}, {"p0": "x", "p1": "y"}) == {"a": 10.0}


def state(**stage: Any) -> Any:
    base = {"stage": "count", "depth": 0, "oldest_age_s": 0.0, "consumers": 1, "dead": 0, "rate": 1}
    audit = {"stored": 5, "counted": 5, "adds_up": True, "missing": 0}
    return {"stages": [base | stage], "audit": audit, "away": {}}


def test_the_summary_is_one_sentence_and_advice_only_when_something_is_wrong():
    assert summarise(state()).state == "well"
    busy = summarise(state(depth=1200, oldest_age_s=0.31))
    assert (busy.state, busy.advice) == ("busy", [])
    assert busy.headline == "1,200 events are on the way, the oldest for 0.3 s."
    assert summarise(state(depth=1)).headline.startswith("1 event is on the way")
    assert summarise(state(consumers=0)).state == "well", "a quiet stage needs no consumer"
    nobody = summarise(state(consumers=0, depth=1, oldest_age_s=6))
    assert nobody.state == "wrong"
    assert nobody.advice == ["No consumer reads for count: start it (catchwater stage count)."]
    assert (
        "catchwater sink"
        in summarise(state(stage="sink", consumers=0, depth=1, oldest_age_s=6)).advice[0]
    )
    still = summarise(state(depth=1, oldest_age_s=25, rate=0)).advice[0]
    assert "has waited 25 s for count" in still, "it is seen before a minute is over"
    assert "has waited 2 min for count" in summarise(state(depth=1, oldest_age_s=120)).advice[0]
    assert "catchwater dead list" in summarise(state(dead=1)).advice[0]
    away = summarise(state() | {"away": {"10.0.0.2:6379": 3}})
    assert away.state == "wrong"
    assert "3 partitions of 10.0.0.2:6379 cannot be read" in away.advice[0]
    off = state()
    off["audit"] |= {"adds_up": False, "missing": -2}
    assert "off by -2" in summarise(off).advice[0]
