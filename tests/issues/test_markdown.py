"""An issue as Markdown: all of it stands there, and nothing of a stranger's is more than text."""

from __future__ import annotations

import re

import pytest

from catchwater.issues.markdown import FRAMES, block, code, page

ISSUE = {
    "id": "1:v1:abc",
    "type": "TypeError",
    "message": "x is not a function",
    "culprit": "pay (src/pay.ts)",
    "count": 1234,
    "users": 56,
    "level": "error",
    "state": "unresolved",
    "first_seen": "2026-11-01T10:00:00Z",
    "last_seen": "2026-11-02T10:00:00Z",
}
OWN = {"function": "pay", "file": "src/pay.ts", "line": 12, "column": 3, "in_app": True}
CONTEXT = {"pre": ["a();", "b();"], "line": "x();", "post": ["c();"]}
EVENT = {
    "type": "TypeError",
    "message": "x is not a function",
    "release": "shop@1.4.2",
    "browser": "Chrome 156",
    "user": {"id": "u-17"},
    "frames": [{"function": "", "file": "lib.js", "in_app": False}, OWN | {"context": CONTEXT}],
    "chain": [{"type": "Error", "message": "before it", "frames": [OWN]}],
}


def test_it_says_what_how_often_and_where():
    found = page(ISSUE, EVENT, "https://errors.example/issues/1:v1:abc")
    assert found.startswith("# `TypeError: x is not a function`\n")
    for line in (
        "- Issue: `1:v1:abc` <https://errors.example/issues/1:v1:abc>",
        "- Seen: 1,234 times, by about 56 users",
        "- Release: `shop@1.4.2`",
        "    at (anonymous) (lib.js)  [library]",
        "    at pay (src/pay.ts:12:3)",
        "Caused by Error: before it",
        "## Source: `src/pay.ts:12:3`",
        ">    12  x();",
        "     10  a();",
    ):
        assert f"\n{line}\n" in found, line


def test_who_the_user_was_is_left_out():
    assert "u-17" not in page(ISSUE, EVENT)


def test_an_issue_without_a_sample_says_so():
    assert "No sample of it is stored." in page(ISSUE, {})


@pytest.mark.parametrize("text", ["`", "``", "a`b", "`` ` ``", "```\n# x", "x`", "\x1b[2J`\u202e"])
def test_no_text_ends_the_code_that_it_stands_in(text):
    line = code(text)
    fence = re.match("`+", line).group()
    inside = line[len(fence) : -len(fence)]
    assert line.endswith(fence)
    assert fence not in inside.strip(" ") or len(fence) > 1
    assert max(map(len, re.findall("`+", inside)), default=0) < len(fence)
    assert "\n" not in line
    lines = block(text).split("\n")
    assert lines[0] == lines[-1]
    assert not any(lines[0] in one for one in lines[1:-1])
    assert not set(line + block(text)) & set("\x1b\u202e")


@pytest.mark.parametrize("field", ["type", "message", "culprit", "level", "id", "first_seen"])
def test_markup_stays_in_code(field):
    evil = "\n# title\n<img src=x> @everyone [a](javascript:b) ``` |"
    found = page(ISSUE | {field: evil}, EVENT | {field: evil} | {"frames": [OWN | {"file": evil}]})
    fences, outside = 0, []
    for line in found.split("\n"):
        if re.match("`{3,}[^`]*$", line):
            fences += 1
        elif fences % 2 == 0:
            outside.append(re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", line))
    assert fences == 2
    assert not re.search("<img|@everyone|javascript|^# title", "\n".join(outside), re.MULTILINE)


@pytest.mark.parametrize(
    "event",
    [
        {"frames": "x", "chain": 5},
        {"frames": [None, 1], "chain": [None]},
        {"frames": [{"context": {"line": 5}, "in_app": True, "line": "x"}]},
        {"frames": [{"in_app": True, "line": True, "column": -1}], "message": 7},
        {"frames": [OWN] * 500},
    ],
)
def test_a_damaged_sample_is_shown_as_far_as_it_goes(event):
    found = page(ISSUE, event)
    assert found.count("    at ") <= FRAMES
