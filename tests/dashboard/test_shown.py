"""The pure parts: times, bars, stacks, and what a hostile value becomes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from dashboard import json_fields, stack_view, times
from dashboard.charts import TALL, Axis, axis, chart
from dashboard.project_names import ProjectNames
from dashboard.query import Cursor, _decoded
from dashboard.rendering import _share

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 11, 23, 14, 28, 0, 123000, tzinfo=UTC)


def test_times_are_written_as_iso_with_milliseconds_in_utc():
    assert times.iso(AT) == "2026-11-23T14:28:00.123Z"
    assert times.iso(AT.replace(microsecond=0)) == "2026-11-23T14:28:00.000Z"
    assert times.iso_or_none(1_795_444_080_123) == "2026-11-23T14:28:00.123Z"
    assert times.iso_or_none(AT.replace(tzinfo=None)) == "2026-11-23T14:28:00.123Z"


@pytest.mark.parametrize(
    "value", [None, "x", True, 1e300, -1e300, float("nan"), float("inf"), [], {}]
)
def test_what_is_no_time_is_none(value: object):
    assert times.iso_or_none(value) is None


def test_a_cursor_s_time_comes_back_to_the_millisecond():
    for number in range(0, 2000, 7):
        moment = AT + timedelta(milliseconds=number)
        assert times.instant(times.milliseconds(moment)) == moment


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (-5, "just now"),
        (0.9, "just now"),
        (1, "1 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (3600, "1 h ago"),
        (86_399, "23 h ago"),
        (864_000, "10 d ago"),
    ],
)
def test_how_long_ago_is_said_in_one_unit(gone: float, words: str):
    assert times.ago(AT - timedelta(seconds=gone), AT) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "—"), (0.04, "0.0 s"), (12.4, "12 s"), (300, "5 min"), (86_400, "24.0 h")],
)
def test_a_duration_is_said_in_one_unit(seconds: float | None, words: str):
    assert times.lasting(seconds) == words


def hours(n: int, words: str, form: str = "%H:%M") -> Axis:
    return axis(AT, timedelta(hours=1), n, form, "at", words)


def test_bars_are_as_high_as_their_counts_and_one_event_is_seen_beside_thousands():
    made = chart([0, 1, 4000, 2000], hours(4, "4 hours"))
    assert [bar.height for bar in made.bars] == [0, 2.0, TALL, TALL / 2]
    assert all(bar.y + bar.height == TALL for bar in made.bars)
    assert made.bars[2].label == "16:28: 4,000 events"
    assert made.sentence == "6,001 events in 4 hours, most of them at 16:28: 4,000"
    assert made.bars[-1].x + 4 == made.width
    assert made.outline == "M6 30h4V32h-4zM12 0h4V32h-4zM18 16h4V32h-4z"


def test_no_events_and_no_bars_are_no_failure():
    assert chart([0, 0], hours(2, "2 hours")).sentence == "0 events in 2 hours"
    assert chart([], hours(0, "0 hours")).bars == []
    assert chart([1], hours(1, "an hour")).sentence.startswith("1 event in")


def test_a_sentence_names_the_latest_marks_and_says_how_many_more_there_are():
    marked = [(AT + timedelta(minutes=n), f"r{n}") for n in range(0, 80, 10)]
    made = chart([0], hours(1, "an hour"), marked)
    assert [one.label.split()[0] for one in made.marks] == ["r0", "r10", "r20", "r30", "r40", "r50"]
    assert made.sentence.startswith("0 events in an hour; r10 at ")
    assert made.sentence.endswith("; 1 more before")


def frames(own: str) -> list[dict[str, object]]:
    return [
        {"function": f"f{i}", "file": "a.js", "line": i, "in_app": letter == "O"}
        for i, letter in enumerate(own)
    ]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("", ""),
        ("O", "O"),
        ("OOlllO", "OO(lll)O"),
        ("lllO", "l(ll)O"),
        ("OlOl", "O(l)O(l)"),
        ("lll", "lll"),
    ],
)
def test_runs_of_library_frames_are_folded_but_never_the_innermost_nor_all(own: str, expected: str):
    shown = ""
    for run in stack_view.runs(frames(own)):
        letters = "".join("O" if frame.in_app else "l" for frame in run.frames)
        shown += f"({letters})" if run.folded else letters
    assert shown == expected


def test_a_chain_of_causes_is_bounded():
    event = {"type": "A", "chain": [{"type": str(i), "frames": []} for i in range(500)]}
    assert [one.type for one in stack_view.chain(event)][:3] == ["A", "0", "1"]
    assert len(stack_view.chain(event)) == 1 + stack_view.CAUSES


def test_counters_of_several_partitions_lives_and_months_are_summed_and_odd_ones_left_out():
    parts = {"202611-p1-a-1": 3, "202611-p7-a-1": 4, "202610-p1-a-1": 5, "odd": "x", "worse": None}
    assert json_fields.total(parts, {"202611-p1-a-1": 10}, None, "what") == 22


def test_what_lies_too_deep_is_cut():
    assert json_fields.pruned({"a": [{"b": [1]}]}, 2) == {"a": ["(deeper levels are left out)"]}
    assert json_fields.pruned([1, "x", None], 1) == [1, "x", None]


def test_something_is_never_nothing_percent():
    assert (_share(1, 1000), _share(0, 1000), _share(1000, 1000), _share(1, 0)) == (
        "<1 %",
        "0 %",
        "100 %",
        "0 %",
    )


@pytest.mark.parametrize(
    "cursor",
    [Cursor("count", 7, "1:v1:ü"), Cursor("users", None, "x"), Cursor("last_seen", -5, "")],
)
def test_a_cursor_survives_its_way_through_an_address(cursor: Cursor):
    assert _decoded(str(cursor)) == cursor
    assert str(cursor).isascii()
    assert "=" not in str(cursor)


def test_a_new_project_is_known_without_a_restart_and_a_mistaken_file_loses_no_name(tmp_path: Path):
    path = tmp_path / "projects.yaml"
    names = ProjectNames.read(path)
    assert names.by_id() == {}
    path.write_text(f'projects:\n- {{id: "1", name: Shop, key: {"a" * 32}}}\n')
    assert names.by_id() == {"1": "Shop"}
    path.write_text("projects: [")
    assert names.by_id() == {"1": "Shop"}
    path.unlink()
    assert names.by_id() == {"1": "Shop"}


def test_a_frame_from_a_source_map_has_its_lines_and_where_it_ran():
    context = {"pre": ["a", "b"], "line": "c();", "post": ["d"]}
    generated = {"function": "t", "file": "app.js", "line": 1, "column": 900}
    found = {
        "function": "total",
        "file": "src/cart.ts",
        "line": 3,
        "context": context,
        "generated": generated,
    }
    [frame] = stack_view.runs([found])[0].frames
    assert [(one.number, one.text, one.here) for one in frame.lines] == [
        (1, "a", False),
        (2, "b", False),
        (3, "c();", True),
        (4, "d", False),
    ]
    assert frame.generated == "t app.js:1:900"


@pytest.mark.parametrize(
    "context", [None, [], {"line": None}, {"line": {}, "pre": "x", "post": [None] * 90}]
)
def test_an_odd_context_is_no_failure(context: object):
    [frame] = stack_view.runs(
        [{"function": "f", "context": context, "generated": 7, "unmapped": ["x"]}]
    )[0].frames
    assert len(frame.lines) <= 11
    assert (frame.generated, frame.unmapped) == ("", "")


def test_a_frame_says_why_its_map_was_not_used():
    assert (
        "another release" in stack_view.runs([{"unmapped": "other release"}])[0].frames[0].unmapped
    )
