"""An event that is too large is cut where it is largest, and still says what it said."""

from __future__ import annotations

import copy
import time
from contextlib import suppress

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catchwater.errors import EventTooLargeError
from ingest.trimming import trim

FRAMES = [{"function": f"f{n}", "filename": "https://shop.example/app.js"} for n in range(8)]
ERROR = {
    "message": "boom",
    "exception": {"values": [{"type": "TypeError", "stacktrace": {"frames": FRAMES}}]},
    "tags": {"browser": "Chrome"},
}
LARGE = {
    "a long text": {"extra": {"state": "x" * 400_000}},
    "a long list": {"breadcrumbs": [{"message": f"{n}" * 20} for n in range(10_000)]},
    "many keys": {"extra": {f"key-{n}": "v" * 30 for n in range(10_000)}},
    "a list in a list": {"extra": {"rows": [[1] * 40_000] * 5}},
    "large in many ways": {
        "extra": {"state": "x" * 200_000},
        "contexts": {"redux": {"items": [{"name": "é" * 100}] * 1500}},
    },
}


@pytest.mark.parametrize("more", LARGE.values(), ids=LARGE)
def test_the_large_part_is_cut_and_the_error_is_whole(more):
    text, cut = trim(copy.deepcopy(ERROR | more), 100_000)
    assert len(text) <= 100_000
    assert cut
    assert set(cut) <= set(more)
    found = orjson.loads(text)
    assert {name: found[name] for name in ERROR} == ERROR


def test_a_stack_that_is_far_too_long_keeps_both_ends():
    frames = [{"function": f"f{n}", "lineno": n} for n in range(20_000)]
    text, cut = trim({"message": "boom", "exception": {"frames": frames}}, 50_000)
    kept = [frame["lineno"] for frame in orjson.loads(text)["exception"]["frames"]]
    assert (kept[0], kept[-1], cut) == (0, 19_999, ["exception"])
    assert len(text) > 10_000


def test_a_long_message_keeps_its_beginning():
    text, cut = trim({"message": "TypeError: " + "x" * 900_000}, 200_000)
    message = orjson.loads(text)["message"]
    assert message.startswith("TypeError: xxx")
    assert message.endswith("…")
    assert cut == ["message"]
    assert 190_000 < len(text) <= 200_000


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(EventTooLargeError, match="small parts"):
        trim({f"field-{n}": n for n in range(5_000)}, 20_000)


MANY = {
    "keys": {f"{n:x}": 1 for n in range(49_000)},
    "keys and texts": {f"{n:x}": 1 for n in range(40_000)}
    | {f"t{n}": "x" * 8_000 for n in range(60)},
    "texts that are long to write": {f"{n}": "\1" * 500 for n in range(320)},
    "lists around each other": {
        f"{n:x}": [[["x" * 50_000, *range(4_000)], *range(4_000)], *range(4_000)] for n in range(8)
    },
}


@pytest.mark.parametrize("document", MANY.values(), ids=MANY)
def test_a_document_costs_no_more_than_its_size_justifies(document):
    """49,000 keys held everybody up for 1.2 s, and nineteen such events for 23 s."""
    started = time.process_time()
    with suppress(EventTooLargeError):
        trim(copy.deepcopy(document), 200_000)
    assert time.process_time() - started < 0.4


VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | st.text(max_size=400),
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=60,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine draws slowly
@given(st.dictionaries(st.text(max_size=9), VALUES, max_size=9))
def test_any_document_is_cut_to_its_size_or_refused(document):
    try:
        text, _ = trim(document, 300)
    except EventTooLargeError:
        return
    assert len(text) <= 300
    assert isinstance(orjson.loads(text), dict)
