"""From `run: module:function` to what works on a batch, hooks included."""

from __future__ import annotations

import sys
import textwrap
import threading

import pytest

from catchwater import Drop, Emit
from catchwater.errors import StageImportError, UnavailableError
from catchwater.event import CLIENT_REPORT, Event
from catchwater.redis_client import Connection
from catchwater.stage import StageEnvironment
from catchwater.streams.consumer import Consumer
from catchwater.streams.loop import Loop
from catchwater.streams.stage_loader import import_stage, load_stages
from tests.waiting import wait_until


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module of stages, and lets it be imported."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(text):
        (tmp_path / "own_stages.py").write_text(textwrap.dedent(text))
        monkeypatch.delitem(sys.modules, "own_stages", raising=False)
        return "own_stages"

    yield write
    sys.modules.pop("own_stages", None)


OWN = """
    from catchwater import Drop, Emit, stage

    OPENED = []
    WARMED_UP = []

    def open_resources(environment):
        OPENED.append(environment)
        return f"maps of {environment.mongo_url}"

    @stage(open_resources=open_resources, warm_up=lambda: WARMED_UP.append("first"))
    def first(event, resources="nothing opened"):
        return Emit(event.with_(kind="named", facts={"first": resources}))

    @stage(
        open_resources=open_resources,
        warm_up=lambda: WARMED_UP.append("second"),
        handles_client_reports=True,
    )
    def second(event, resources="nothing opened"):
        return Drop(f"{event.kind} {resources}")

    def plain(event):
        return Drop("plain")
"""


def event(kind="snippet"):
    return Event("0" * 32, "1", 0, kind, b"{}")


def defs_running(pipeline, *run, stage="name"):
    changed = pipeline.defs.stages[stage].model_copy(update={"run": list(run)})
    return pipeline.defs.model_copy(update={"stages": {**pipeline.defs.stages, stage: changed}})


def test_functions_of_one_stage_share_the_resources_that_they_both_open(module, pipeline):
    module(OWN)
    defs = defs_running(pipeline, "own_stages:first", "own_stages:second")
    environment = StageEnvironment(mongo_url="mongodb://here")
    loaded = load_stages(defs, ["name"], environment)["name"]
    assert loaded.work([event()]) == [Drop("named maps of mongodb://here")]
    assert [environment] == sys.modules["own_stages"].OPENED


def test_stages_of_one_process_share_the_resources_that_they_both_open(module, pipeline):
    module(OWN)
    pipeline.defs = defs_running(pipeline, "own_stages:first")
    defs = defs_running(pipeline, "own_stages:second", stage="dedupe")
    environment = StageEnvironment(mongo_url="mongodb://here")
    loaded = load_stages(defs, ["name", "dedupe"], environment)
    (answer,) = loaded["name"].work([event()])
    assert answer.event.facts == {"first": "maps of mongodb://here"}
    assert loaded["dedupe"].work([event()]) == [Drop("snippet maps of mongodb://here")]
    assert [environment] == sys.modules["own_stages"].OPENED


def test_each_function_of_a_stage_is_warmed_up_in_order_and_none_by_loading(module, pipeline):
    module(OWN)
    defs = defs_running(pipeline, "own_stages:first", "own_stages:second")
    loaded = load_stages(defs, ["name"], None)["name"]
    warmed_up = sys.modules["own_stages"].WARMED_UP
    assert warmed_up == []
    loaded.warm_up()
    assert warmed_up == ["first", "second"]


def test_without_an_environment_nothing_is_opened(module, pipeline):
    module(OWN)
    loaded = load_stages(defs_running(pipeline, "own_stages:second"), ["name"], None)["name"]
    assert loaded.work([event()]) == [Drop("snippet nothing opened")]
    assert sys.modules["own_stages"].OPENED == []


def test_client_reports_pass_a_stage_by_that_does_not_handle_them(module, pipeline):
    module(OWN)
    report = event(CLIENT_REPORT)
    plain = load_stages(defs_running(pipeline, "own_stages:plain"), ["name"], None)["name"]
    assert plain.work([report, event()]) == [Emit(report), Drop("plain")]
    second = load_stages(defs_running(pipeline, "own_stages:second"), ["name"], None)["name"]
    assert second.work([report]) == [Drop("client_report nothing opened")]


@pytest.mark.parametrize(
    ("text", "path", "why"),
    [
        ("", "own_stages:missing", "has no attribute 'missing'"),
        ("", "no_such_module:run", "No module named 'no_such_module'"),
        ("number = 17", "own_stages:number", "is not a function"),
        ("1 / 0", "own_stages:run", "division by zero"),
        (
            "from catchwater import stage\n@stage(warmup=print)\ndef run(event): ...",
            "own_stages:run",
            "unexpected keyword argument 'warmup'",
        ),
    ],
)
def test_a_stage_that_cannot_be_imported_is_an_error_with_the_reason(module, text, path, why):
    """A misspelt hook was once ignored in silence: the stage ran, and the hook was never called."""
    module(text)
    with pytest.raises(StageImportError, match=why):
        import_stage(path)


def test_a_stage_is_warmed_up_before_its_first_batch_and_after_each_outage(pipeline, redis_url):
    calls: list[str] = []
    away = threading.Event()

    def work(events):
        calls.append("work")
        if not away.is_set():
            away.set()
            raise UnavailableError("away once")
        return [Emit(one) for one in events]

    pipeline.add("raw", Event("1" * 32, "1", 0, "named", b"{}"))
    stopping, connection = threading.Event(), Connection(redis_url)
    consumer = Consumer(connection, pipeline.defs, "name", "w")
    loop = Loop(consumer, work, stopping, lambda: calls.append("warm up"))
    thread = threading.Thread(target=loop.run)
    thread.start()
    wait_until(lambda: pipeline.inside("named"), "the event went on")
    stopping.set()
    thread.join()
    connection.close()
    assert calls == ["warm up", "work", "warm up", "work"]
