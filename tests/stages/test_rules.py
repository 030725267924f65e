"""Rules of a project's own, the switch from file to stage, and what `explain` says of both."""

from __future__ import annotations

import json
import os
import time

import orjson
import pytest
from click.testing import CliRunner

from catchwater.answers import Drop, Emit
from catchwater.config import reloading
from catchwater.config.grouping_rules import Rule
from catchwater.config.projects import load
from catchwater.event import Event
from stages import project_settings
from stages.commands.explain import command
from stages.fingerprint import Resources, fingerprint
from stages.fingerprint import answer as answer_of
from stages.project_settings import ProjectSettings

REPORT = {
    "type": "TimeoutError",
    "message": "timeout of 3000 ms exceeded for jane@example.com",
    "stack": (
        "TimeoutError: x\n    at Object.load (https://cdn.example/api/orders.3f2a1b9c.js?v=7:1:2)"
    ),
    "page": "https://shop.example/orders/17?x=1",
    "release": "1.4",
    "environment": "live",
    "level": "error",
}
HEAD = 'projects:\n  - id: "1"\n    name: shop\n    key: 0123456789abcdef0123456789abcdef\n'


def named(told=REPORT, *rules, **more):
    wishes = ProjectSettings(rules=[Rule.model_validate(rule) for rule in rules])
    found = answer_of(
        Event("0" * 32, "1", 1_763_900_000_000, "snippet", orjson.dumps({**told, **more})), wishes
    )
    assert isinstance(found, Emit)
    return found.event.json, found.event.facts


def fingerprint_of(*rules, **more):
    return named(REPORT, *rules, **more)[0]["fingerprint"]


@pytest.mark.parametrize(
    "match",
    [
        {"type": "TimeoutError"},
        {"message": "timeout of * exceeded*"},
        {"file": "https://cdn.example/*"},
        {"file": "api/orders.js"},
        {"function": "load"},
        {"function": "object.LOAD"},
        {"page": "*/orders/*"},
        {"release": "1.*"},
        {"environment": ["test", "live"]},
        {"level": "error", "type": "Time*"},
    ],
)
def test_a_rule_matches_what_people_see_and_names_the_issue(match):
    rule = {"match": match, "name": ["timeouts"]}
    assert fingerprint_of(rule) == fingerprint_of(
        rule, message="timeout of 1 exceeded ", release="1.9"
    )
    assert fingerprint_of(rule) != fingerprint_of()


@pytest.mark.parametrize(
    "match", [{"type": "Timeout"}, {"function": "load", "level": "warning"}, {"release": "1"}]
)
def test_a_rule_that_does_not_match_as_a_whole_changes_nothing(match):
    assert fingerprint_of({"match": match, "name": ["x"]}) == fingerprint_of()


def test_the_first_rule_wins_over_the_second_and_over_the_client():
    one, two = ({"match": {"type": "TimeoutError"}, "name": [name]} for name in ("one", "two"))
    assert fingerprint_of(one, two) == fingerprint_of(one) != fingerprint_of(two)
    assert fingerprint_of(one, fingerprint=["mine"]) == fingerprint_of(one)


def test_default_is_what_it_would_have_been_and_may_be_split():
    match = {"level": "error"}
    assert fingerprint_of({"match": match, "name": ["{{ default }}"]}) == fingerprint_of()
    split = {"match": match, "name": ["{{ default }}", "{{ release }}"]}
    assert fingerprint_of(split) != fingerprint_of()
    assert fingerprint_of(split, release="1.4") != fingerprint_of(split, release="1.5")
    assert fingerprint_of(split, page="https://shop.example/else") == fingerprint_of(split)


def test_placeholders_stand_for_what_no_build_and_no_visit_changes():
    rule = {
        "match": {"level": "error"},
        "name": ["{{ file }} {{ function }} {{page}}", "{{ message }}"],
    }
    later = {
        "stack": "load@https://b.example/api/orders.0d1e2f3a.js:9:9",
        "page": "https://other.example/orders/18",
        "message": "timeout of 20 ms exceeded for joe@example.com",
    }
    assert fingerprint_of(rule) == fingerprint_of(rule, **later)


def test_a_title_is_shown_and_nothing_private_is_in_it():
    rule = {
        "match": {"level": "error"},
        "name": ["x"],
        "title": "Slow API in {{ release }}: {{ page }}",
    }
    assert named(REPORT, rule)[1]["about"]["message"] == "Slow API in 1.4: /orders/*"
    leaking = {"match": {"level": "error"}, "name": ["x"], "title": "{{ release }}"}
    assert named(REPORT, leaking, release="jane@example.com")[1]["about"]["message"] == "[email]"


def test_the_reasons_name_the_rule():
    told = named(
        REPORT,
        {"match": {"type": "a"}, "name": ["a"]},
        {"match": {"level": "error"}, "name": ["b"]},
    )[0]
    assert told["used"] == ["rule 2 of the project (level is error): b"]
    assert {"part": "type: TimeoutError", "why": "a rule of the project names this issue"} in told[
        "ignored"
    ]


def test_mistakes_in_a_project_s_sections_are_told_at_once_with_line_and_help(tmp_path):
    path = tmp_path / "projects.yaml"
    path.write_text(
        HEAD
        + "    filters: {crawler: true, messages: ['*']}\n"
        + "    fingerprints:\n"
        + "      - {match: {typ: x}, name: [a]}\n"
        + "      - {match: {}, name: ['{{ nonsense }}']}\n"
        + "    private: {patterns: ['(a', '(?=x)y', 'x*'], keep: [mails]}\n"
    )
    with pytest.raises(Exception, match="projects") as error:
        load(path)
    text = str(error.value)
    wanted = (
        "line 5",
        "did you mean 'crawlers'?",
        "this would match everything",
        "line 7",
        "did you mean 'type'?",
        "line 8",
        "a rule that asks for nothing",
        "{{ nonsense }} is not known",
        "line 9",
        "no regular expression",
        "no lookaround",
        "matches where nothing is",
        "keep",
    )
    assert [part for part in wanted if part not in text] == []


def event(**more) -> Event:
    return Event("0" * 32, "1", 1_763_900_000_000, "snippet", orjson.dumps({**REPORT, **more}))


@pytest.fixture
def watched_file(tmp_path, monkeypatch):
    monkeypatch.setattr(reloading, "LOOK_EVERY_S", 0.0)
    (path := tmp_path / "projects.yaml").write_text(HEAD)
    return path


@pytest.fixture
def answer(watched_file):
    """The stage's answer with what the file says now."""
    resources = Resources(project_settings.SettingsFile(watched_file).of)
    return lambda event: fingerprint(event, resources)


def rewrite(path, text):
    path.write_text(text)
    os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns + 1_000_000))


def test_a_change_of_the_file_is_in_force_without_a_restart_and_a_mistake_in_it_is_not(
    watched_file, answer
):
    assert isinstance(answer(event()), Emit)
    rewrite(watched_file, HEAD + "    filters: {messages: ['timeout of *']}\n")
    assert answer(event()) == Drop("filter:messages")
    rewrite(watched_file, HEAD + "    filters: {mesages: []}\n")
    assert answer(event()) == Drop("filter:messages"), "what was in force stays"
    watched_file.unlink()
    assert isinstance(answer(event()), Emit)


def test_what_a_project_wants_taken_out_is_taken_out(watched_file, answer):
    rewrite(
        watched_file,
        HEAD + "    private: {patterns: ['\\bKD-\\d{6}\\b'], fields: ['*kdnr'], keep: [email]}\n",
    )
    found = answer(
        event(message="KD-123456 jane@example.com", extra={"my_kdnr": "17", "note": "KD-654321"})
    )
    assert isinstance(found, Emit)
    told = found.event.json
    assert told["message"] == "[private] jane@example.com"
    assert told["extra"] == {"my_kdnr": "[secret]", "note": "[private]"}
    assert told["scrubbed"] == {"private": 2, "secret": 1}


def test_explain_applies_a_project_s_rules_and_says_what_would_be_dropped(tmp_path):
    path = tmp_path / "projects.yaml"
    path.write_text(
        HEAD
        + "    filters: {pages: ['*/orders/*']}\n"
        + "    fingerprints:\n      - {match: {level: error}, name: [a], title: Slow}\n"
    )
    asked = ["--projects", str(path), "--project", "1"]
    told = json.loads(CliRunner().invoke(command, asked, input=orjson.dumps(REPORT)).stdout)
    wrong = CliRunner().invoke(command, [*asked[:3], "7"], input=b"")
    assert (told["dropped"], told["title"]) == ("filter:pages", "Slow")
    assert told["used"] == ["rule 1 of the project (level is error): a"]
    assert wrong.exit_code == 2
    assert "there is no project '7'" in wrong.stderr
    assert "known: 1" in wrong.stderr
