"""What each filter drops, and what looks alike but may be the site's own bug."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchwater.config import filters
from catchwater.config.filters import Filters
from stages.filters.injected import table
from stages.filters.unwanted import unwanted
from stages.fingerprint import READERS
from stages.grouping.frames import make
from stages.grouping.parsed_event import ExceptionInfo, ParsedEvent

CASES = json.loads((Path(__file__).parents[1] / "data/filters/cases.json").read_text())
SWITCHES = [
    name
    for name, field in Filters.model_fields.items()
    if field.annotation is bool and name != "in_page"
]
ALL_ON = Filters.model_validate(dict.fromkeys(SWITCHES, True))
ALL_OFF = Filters.model_validate(dict.fromkeys(SWITCHES, False))


def verdict(case, chosen: Filters) -> str:
    details = READERS[case.get("kind", "snippet")](case["body"])
    return unwanted(details, {"user_agent": case.get("agent", "")}, chosen).removeprefix("filter:")


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case['filter'] or 'kept'}: {case['source']}"
)
def test_a_filter_drops_its_own_noise_and_nothing_else(case):
    assert verdict(case, ALL_ON) == case["filter"]


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case['filter'] or 'kept'}: {case['source']}"
)
def test_a_filter_that_is_off_drops_nothing(case):
    assert verdict(case, ALL_OFF) == ""
    alone = ALL_ON.model_copy(update={case["filter"]: False}) if case["filter"] else ALL_ON
    assert verdict(case, alone) == ""


def test_every_switch_has_cases():
    assert {case["filter"] for case in CASES} == {"", *SWITCHES}


def test_out_of_the_box_nothing_is_dropped_that_may_be_the_site_s_own():
    on = {name for name in SWITCHES if getattr(filters.DEFAULT, name)}
    assert on == {"extensions", "injected_scripts", "resize_observer", "crawlers"}


def thrown(message: str = "boom", *files: str, type_: str = "Error", page: str = "") -> ParsedEvent:
    return ParsedEvent(
        thrown=ExceptionInfo(type_, message, [make("f", file, 1, 1) for file in files]), page=page
    )


def test_patterns_of_one_s_own_look_at_the_message_and_at_the_type_before_it():
    own = Filters(messages=["*googletag*", "chunkloaderror: *"])
    assert unwanted(thrown("no GoogleTag here"), {}, own) == "filter:messages"
    assert unwanted(thrown("a chunk", type_="ChunkLoadError"), {}, own) == "filter:messages"
    assert unwanted(thrown("boom"), {}, own) == ""


def test_pages_are_dropped_by_their_address():
    own = Filters(pages=["https://*/preview/*"])
    assert unwanted(thrown(page="https://shop.example/preview/7"), {}, own) == "filter:pages"
    assert unwanted(thrown(page="https://shop.example/cart"), {}, own) == ""


def test_only_scripts_that_are_allowed_may_throw_where_some_are_listed():
    own = Filters(allowed_scripts=["https://*.shop.example/*"])
    assert unwanted(
        thrown("m", "https://ads.example/x.js", "https://cdn.shop.example/a.js"), {}, own
    )
    assert (
        unwanted(thrown("m", "https://cdn.shop.example/a.js", "https://ads.example/x.js"), {}, own)
        == ""
    )
    assert unwanted(thrown("m"), {}, own) == "", "an error without a place may be the site's"


def test_each_text_of_the_table_is_found_in_a_message_and_has_a_source():
    listed = table()
    assert [
        one for one in (*listed.extensions, *listed.injected, *listed.scripts) if not one.source
    ] == []
    for name, rows in (("extensions", listed.extensions), ("injected_scripts", listed.injected)):
        for row in rows:
            assert unwanted(thrown(row.text), {}, ALL_ON) == f"filter:{name}"
            assert unwanted(thrown(row.text, "https://shop.example/app.js"), {}, ALL_ON) == ""


@given(
    st.text(),
    st.text(),
    st.lists(st.text(), max_size=5),
    st.dictionaries(st.text(), st.text()),
    st.text(min_size=1),
)
def test_no_text_makes_it_raise(message, page, files, facts, agent):
    own = ALL_ON.model_copy(
        update={"messages": ["*a*b*"], "pages": ["*x*"], "allowed_scripts": ["*js"]}
    )
    details = thrown(message, *files, page=page)
    details.user_agent, details.parts = agent, files
    assert isinstance(unwanted(details, facts | {"user_agent": agent}, own), str)


@pytest.mark.parametrize("piece", ["a", "ab", "webkit", "é", "at f (chrome-extension:"])
def test_a_megabyte_takes_no_longer_than_it_must(piece):
    own = ALL_ON.model_copy(update={"messages": ["*" + "a*b*" * 70 + "c"], "pages": ["*a" * 100]})
    huge = piece * (1_000_000 // len(piece))
    details = thrown(huge, huge, page=huge)
    details.user_agent = huge
    started = time.process_time()
    unwanted(details, {}, own)
    assert time.process_time() - started < 1.0
