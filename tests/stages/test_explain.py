from __future__ import annotations

import json

import orjson
import pytest
from click.testing import CliRunner

from stages.commands.explain import command
from tests.stages.grouping_cases import events, named

SNIPPET = {
    "id": "a" * 32,
    "type": "TypeError",
    "message": "x is null",
    "stack": "pay@https://x.example/a.js:1:2",
}
SENTRY = {"event_id": "b" * 32, "exception": {"values": [{"type": "E", "value": "m"}]}}
REPORT = {
    "type": "deprecation",
    "url": "https://x.example",
    "body": {"id": "WebSQL", "message": "gone"},
}
CSP = {"csp-report": {"effective-directive": "img-src", "blocked-uri": "https://e.example/x"}}


def explain(text: str | bytes):
    return CliRunner().invoke(command, input=text)


def lines_of(*objects) -> bytes:
    return b"\n".join(orjson.dumps(one) for one in objects)


def test_prints_one_object_a_line_with_the_fields_of_the_design():
    result = explain(lines_of(SNIPPET, SENTRY, REPORT, CSP))
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [one["id"] for one in told] == ["a" * 32, "b" * 32, None, None]
    assert [one["type"] for one in told] == ["TypeError", "E", "Deprecation", "CSPViolation"]
    expected = {
        "id",
        "fingerprint",
        "fingerprints",
        "type",
        "message",
        "culprit",
        "frames",
        "used",
        "ignored",
    }
    assert all(set(one) == expected for one in told)


def test_tells_what_the_stage_tells():
    kinds = [kind for kind, _ in events()]
    result = explain(lines_of(*(body for _, body in events())))
    told = [json.loads(line)["fingerprint"] for line in result.stdout.splitlines()]
    assert told == [
        named(kind, body)["fingerprint"] for kind, (_, body) in zip(kinds, events(), strict=True)
    ]


def test_says_which_parts_were_used_and_which_ignored_and_why():
    told = json.loads(explain(lines_of(SNIPPET)).stdout)
    assert told["used"] == ["type: TypeError", "file: a.js", "function: pay"]
    assert {"part", "why"} == set(told["ignored"][0])
    assert "message" in {one["part"] for one in told["ignored"]}


def test_a_line_that_is_no_report_is_named_and_the_others_go_on():
    result = explain(
        b"\n".join([orjson.dumps(SNIPPET), b"{nope", b"", b"[1]", orjson.dumps(SENTRY)])
    )
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 2
    assert "line 2: not JSON" in result.stderr
    assert "line 4: a JSON list" in result.stderr


def test_half_a_pair_of_surrogates_is_read_as_ingest_reads_it():
    result = explain(b'{"type":"Error","message":"cut \\ud83d"}')
    assert result.exit_code == 0
    assert json.loads(result.stdout)["message"] == "cut \ufffd"


def test_reads_a_file(tmp_path):
    saved = tmp_path / "saved.jsonl"
    saved.write_bytes(b"\xef\xbb\xbf" + lines_of(SNIPPET))  # as some editors begin a file
    result = CliRunner().invoke(command, [str(saved)])
    assert json.loads(result.stdout)["culprit"] == "pay (a.js)"


def test_a_saved_named_event_keeps_its_name():
    whole = named("snippet", SNIPPET)
    assert json.loads(explain(lines_of(whole)).stdout)["fingerprint"] == whole["fingerprint"]


def test_a_file_that_is_not_there_is_a_wrong_argument():
    assert CliRunner().invoke(command, ["/nowhere.jsonl"]).exit_code == 2


@pytest.mark.parametrize("char", ["\x1b", "\x9b", "\u202e", "\u2066", "\u200b", "\x85", "\u2028"])
def test_no_character_that_moves_a_terminal_is_printed(char):
    result = explain(orjson.dumps({"type": "Error", "message": f"a{char}b"}))
    assert char not in result.stdout
    assert json.loads(result.stdout)["message"] == f"a{char}b"


OTHER = SNIPPET | {"stack": "refund@https://x.example/b.3f2a1c9d.js:7:8"}
REBUILT = SNIPPET | {"stack": "pay@https://cdn.x.example/a.js?v=2:90:3"}


def test_of_two_reports_it_says_why_they_are_two_issues(tmp_path):
    for name, report in (("a", SNIPPET), ("b", OTHER)):
        (tmp_path / name).write_bytes(orjson.dumps(report))
    result = CliRunner().invoke(command, ["--diff", str(tmp_path / "a"), str(tmp_path / "b")])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "two issues"
    assert "  type: TypeError" in lines
    assert {"- function: pay", "+ function: refund"} <= set(lines)
    assert any("ignored: line and column" in line for line in lines)


def test_of_two_reports_it_says_what_makes_them_one_issue():
    lines = CliRunner().invoke(command, ["--diff"], lines_of(SNIPPET, REBUILT)).stdout.splitlines()
    assert lines[0] == "one issue"
    assert "  function: pay" in lines
    assert not [line for line in lines if line[0] in "+-"]


@pytest.mark.parametrize("reports", [[SNIPPET], [SNIPPET] * 3, [[], SNIPPET]])
def test_a_difference_needs_two_reports(reports):
    result = CliRunner().invoke(command, ["--diff"], lines_of(*reports))
    assert result.exit_code == 2
    assert "two reports are needed" in result.output
