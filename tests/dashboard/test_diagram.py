"""The picture of the pipeline: it is what streamdefs.yaml declares, and shows what waits where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from catchwater.config.streamdefs import StreamDefs, load
from catchwater.monitoring.history import Minute
from catchwater.streams.consumer import prepare
from dashboard.diagram import ARROW, BOX, ROW, Diagram, diagram, rate_of
from tests.chromium import close
from tests.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from catchwater.redis_client import Connection
    from tests.dashboard.conftest import Site
    from tests.dashboard.flow import Flow

BRANCHED = """
partitions: 2
streams: {raw: {}, named: {}, copied: {}, unique: {}, counted: {}}
stages:
  fingerprint: {run: "a:b", reads: raw, emits: named}
  archive: {run: "a:b", reads: raw, emits: copied}
  upload: {run: "a:b", reads: copied, emits: unique}
  count: {run: "a:b", reads: named, emits: counted}
  watch: {run: "a:b", reads: named, emits: unique}
  sink: {run: sink, reads: counted}
"""


def drawn(defs: StreamDefs, history: Any = None, **changes: dict[str, Any]) -> Diagram:
    still = {"depth": 0, "oldest_age_s": 0.0, "consumers": 1, "dead": 0, "rate": 0.0}
    stages = [
        {"stage": name, "reads": one.reads} | still | changes.get(name, {})
        for name, one in defs.stages.items()
    ]
    found = {"stages": stages, "audit": {"stored": 5} | changes.get("audit", {})}
    return diagram(defs, found, history or {}, 0.0)


@pytest.fixture
def shipped() -> StreamDefs:
    return load(Path(__file__).parents[2] / "streamdefs.yaml")


def test_the_shipped_pipeline_is_one_line(shipped: StreamDefs):
    found = drawn(shipped)
    names = ["ingest", "fingerprint", "dedupe", "count", "sink", "MongoDB"]
    assert [box.name for box in found.boxes] == names
    assert [box.x for box in found.boxes] == [n * (BOX + ARROW) for n in range(6)]
    assert {box.y for box in found.boxes} == {0}
    assert [arrow.stream for arrow in found.arrows] == ["raw", "named", "unique", "counted", ""]
    assert (found.width, found.height) == (5 * (BOX + ARROW) + BOX, ROW)


def test_a_second_reader_stands_below_the_first():
    """No check of the whole file here: what the leaves emit is read by nobody."""
    defs = StreamDefs.model_validate(yaml.safe_load(BRANCHED))
    places = {box.name: (box.x // (BOX + ARROW), box.y // ROW) for box in drawn(defs).boxes}
    assert places == {
        "ingest": (0, 0),
        "fingerprint": (1, 0),
        "count": (2, 0),
        "sink": (3, 0),
        "MongoDB": (4, 0),
        "watch": (2, 1),
        "archive": (1, 2),
        "upload": (2, 2),
    }
    assert len(set(places.values())) == len(places), "no two lie upon each other"
    (way,) = [one for one in drawn(defs).arrows if one.stage == "archive"]
    assert f"V{2 * ROW + 62}" in way.path, "it turns down to its row"


def test_what_waits_is_on_its_arrow_and_where_it_is_stuck_is_marked(shipped: StreamDefs):
    late = {"depth": 1234, "oldest_age_s": 75.0, "consumers": 0}
    found = drawn(shipped, dedupe=late, count={"depth": 2, "rate": 3.25}, sink={"dead": 4})
    arrows = {one.stage: one for one in found.arrows}
    assert {name: one.state for name, one in arrows.items()} == {
        **dict.fromkeys(("fingerprint", "sink", "MongoDB"), "still"),
        "dedupe": "stuck",
        "count": "moves",
    }
    one = arrows["dedupe"]
    assert (one.depth, one.oldest, one.why) == (1234, "75 s", "no consumer")
    assert arrows["count"].rate == "3.2/s"
    boxes = {box.name: box for box in found.boxes}
    assert (boxes["dedupe"].state, boxes["dedupe"].says) == ("bad", "no consumer")
    assert (boxes["sink"].dead, boxes["sink"].state) == (4, "")
    assert "1,234 wait in named for dedupe, the oldest for 75 s, 0/s, stuck: no" in found.sentence


def test_mongodb_that_does_not_answer_is_marked(shipped: StreamDefs):
    box = drawn(shipped, audit={"stored": None}).boxes[-1]
    assert (box.name, box.says, box.state) == ("MongoDB", "does not answer", "bad")


def test_the_last_hour_has_a_bar_for_each_minute_in_which_something_waited(shipped: StreamDefs):
    history = {"dedupe": [None, Minute(0), Minute(1), Minute(1000)]}
    one = next(one for one in drawn(shipped, history).arrows if one.stage == "dedupe")
    assert one.most == 1000
    assert one.bars.count("M") == 2
    assert "v-2.0" in one.bars, "one event is seen beside a thousand"
    assert "v-36.0" in one.bars


@pytest.mark.parametrize(("rate", "text"), [(0, "0/s"), (3.21, "3.2/s"), (1234.5, "1,234/s")])
def test_a_rate_is_read_at_a_glance(rate: float, text: str):
    assert rate_of(rate) == text


def test_the_page_has_the_picture_without_any_script(site: Site, flow: Flow):
    flow.accept(3)
    shown = wait_until(
        lambda: "3 wait in raw for fingerprint" in (page := site.get("/pipeline").text) and page,
        "what waits is drawn",
        timeout=60,
    )
    assert shown.count('class="arrow ') == 5
    assert 'role="img"' in shown
    assert "style=" not in shown, "the content policy would refuse it"


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_picture_moves_by_itself_and_fits(
    site: Site, flow: Flow, redis: Connection, defs: StreamDefs, chromium: Browser, width: int
):
    prepare(redis, defs)
    context = chromium.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(f"{site.url}/pipeline")
    flow.accept(7)
    page.locator(".diagram .depth", has_text="7").wait_for(timeout=20_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "only it scrolls"
    texts = "[...document.querySelectorAll('.diagram text')].map(t => t.getBBox().width)"
    assert max(page.evaluate(texts)) <= ARROW, "no text runs over its neighbour"
    close(context)
