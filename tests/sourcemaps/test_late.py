"""Source maps that are uploaded after events were grouped: their samples get names, one bug stays
one issue, and no count changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from catchwater.commands.issue import command as issue_command
from dashboard import json_fields
from stages.project_settings import DEFAULT
from stages.second_look import look_again
from tests.sourcemaps.explained import ADDRESS, report, run, simple
from tests.sourcemaps.sentry import served
from tests.waiting import wait_until
from tests.whole_pipeline import WAIT_S, Whole, whole_pipeline

LATER = "https://cdn7.example/later.js"


@pytest.fixture
def whole(redis_url: str, mongo_url: str, tmp_path: Path) -> Iterator[Whole]:
    with whole_pipeline(redis_url, mongo_url, tmp_path) as one:
        yield one


@pytest.fixture
def upload(whole: Whole, mongo_url: str, tmp_path: Path) -> Callable[..., str]:
    """Upload the map of a script, as people do; what the command says."""

    def called(release: str = "r", script: str = "shop.js", **given: Any) -> str:
        folder = tmp_path / f"{release} {script}"
        folder.mkdir()
        (folder / f"{script}.map").write_bytes(simple(**given))
        options = ("--project", "1", "--release", release, "--mongo-url", mongo_url)
        done = run("upload", str(folder), *options, *own(whole))
        assert done.exit_code == 0, done.output
        return done.output

    return called


def own(whole: Whole) -> tuple[str, ...]:
    return (
        *("--projects", str(whole.projects)),
        *("--streamdefs", str(whole.projects.with_name("streamdefs.yaml"))),
    )


def apply(whole: Whole, mongo_url: str, *options: str) -> str:
    done = run("apply", "--project", "1", "--mongo-url", mongo_url, *own(whole), *options)
    assert done.exit_code == 0, done.output
    return done.output


def issue(mongo_url: str, *arguments: str) -> None:
    done = CliRunner().invoke(issue_command, ["--mongo-url", mongo_url, *arguments])
    assert done.exit_code == 0, done.output


def is_seen(whole: Whole) -> None:
    """The stage looks for uploads every few seconds; until then events are grouped as before."""
    probe = report([(1, 1)], "r")

    def mapped() -> bool:
        whole.send(probe)
        whole.counted()
        newest = max(whole.database.samples.find(), key=lambda one: one["_id"])
        return "generated" in json_fields.event(newest)["frames"][0]

    wait_until(mapped, "an event has its map", WAIT_S)


def listed(whole: Whole) -> dict[str, int]:
    """The issues that people see, and what they count."""
    found = whole.database.issues.find({"state": {"$ne": "merged"}})
    return {one["_id"]: one.get("count", 0) for one in found}  # derived a moment after


def functions(whole: Whole) -> list[str]:
    return [
        json_fields.event(one)["frames"][0]["function"]
        for one in whole.database.samples.find().sort("_id", 1)
    ]


def test_events_before_the_map_and_behind_it_are_one_issue_and_counted_exactly(
    whole, upload, mongo_url
):
    """They were two, and the first one's frames stayed minified for good."""
    whole.send(report([(1, 1)], "r"), 3)
    (before,) = whole.counted()
    said = upload()
    assert "3 samples that were stored before have names of the source now" in said
    assert f"{before} is counted in " in said
    is_seen(whole)
    apply(whole, mongo_url, "--release", "r")  # for events that were on their way
    counts = whole.counted()
    (after,) = set(counts) - {before}
    wait_until(lambda: listed(whole) == {after: whole.sent}, "all count in it", WAIT_S)
    assert sum(counts.values()) == whole.sent
    assert functions(whole) == ["outer"] * whole.sent
    one = whole.database.issues.find_one({"_id": after})
    assert (one["culprit"], "new" in one.get("untold", {})) == ("outer (a.js)", False)
    whole.send(report([(1, 1)], "old"), 2)
    whole.counted()
    wait_until(lambda: listed(whole) == {after: whole.sent}, "the old name still counts", WAIT_S)


def test_what_is_shown_is_the_source_and_what_was_stored_stays(whole, upload):
    whole.send(report([(1, 1)], "r"))
    whole.counted()
    before = whole.database.samples.find_one()
    upload()
    after = whole.database.samples.find_one()
    shown = json_fields.event(after)
    frame = shown["frames"][0]
    assert [frame[name] for name in ("function", "file", "line")] == ["outer", "src/a.js", 2]
    assert frame["context"]["line"] == "  boom(1);"
    assert frame["generated"]["file"] == ADDRESS
    assert shown["late"]
    assert {name: after[name] for name in before if name != "awaits"} == {
        name: one for name, one in before.items() if name != "awaits"
    }
    assert "awaits" in before
    assert "awaits" not in after


def test_what_people_said_of_the_issue_stays_said(whole, upload, mongo_url):
    whole.send(report([(1, 1)], "r"))
    (before,) = whole.counted()
    issue(mongo_url, "resolve", before, "--in", "2.0.0")
    issue(mongo_url, "note", before, "--text", "see 1204")
    upload()
    (after,) = listed(whole)
    one = whole.database.issues.find_one({"_id": after})
    assert (one["state"], one["handling"]["in"]) == ("resolved", "2.0.0")
    assert [note["text"] for note in one["notes"]] == ["see 1204"]


def test_who_takes_it_back_is_not_overruled(whole, upload, mongo_url):
    whole.send(report([(1, 1)], "r"))
    (before,) = whole.counted()
    upload()
    issue(mongo_url, "reopen", before)
    whole.send(report([(1, 1)], "r2"), 2)
    whole.counted()
    assert f"{before} is counted" not in upload("r2")
    assert before in listed(whole)


def test_an_issue_of_two_bugs_is_not_made_a_part_of_one(whole, upload):
    """Both had the same function of a minifier, and so one issue."""
    whole.send(report([(1, 1)], "r"), 2)
    whole.send(report([(2, 1)], "r"), 2)
    (before,) = whole.counted()
    two = "function outer() {\n  boom(1);\n}\nfunction other() {\n  boom(2);\n}\n"
    said = upload(sourcesContent=[two], mappings="AACEA,U;AAGAA")
    assert "4 samples" in said
    assert f"{before} stays an issue of its own" in said
    assert listed(whole) == {before: 4}
    assert functions(whole) == ["outer", "outer", "other", "other"]


def test_an_issue_with_events_of_a_release_without_maps_stays(whole, upload):
    whole.send(report([(1, 1)], "r"))
    whole.send(report([(1, 1)], "without"))
    (before,) = whole.counted()
    assert "stays an issue of its own" in upload()
    assert listed(whole) == {before: 2}
    assert functions(whole) == ["outer", "x0"]


def test_a_project_whose_rules_are_not_known_here_has_names_and_no_merge(
    whole, mongo_url, tmp_path, upload
):
    whole.send(report([(1, 1)], "r"))
    (before,) = whole.counted()
    whole.projects.rename(tmp_path / "elsewhere.yaml")
    assert "1 samples" in upload()
    assert listed(whole) == {before: 1}
    assert functions(whole) == ["outer"]
    (tmp_path / "elsewhere.yaml").rename(whole.projects)
    assert f"{before} is counted in" in apply(whole, mongo_url), "as docs/sourcemaps.md says"
    assert list(listed(whole).values()) == [1]
    assert before not in listed(whole)


def test_a_stack_of_two_scripts_waits_for_the_map_of_the_other_one(whole, upload):
    told = report([(1, 1)], "r")
    told["stack"] += f"\n    at y ({LATER}:1:1)"
    whole.send(told)
    whole.counted()
    upload()
    shown = json_fields.event(whole.database.samples.find_one())["frames"]
    assert [one["function"] for one in shown] == ["outer", "y"]
    upload(script="later.js", sources=["src/b.js"])
    found = whole.database.samples.find_one()
    shown = json_fields.event(found)["frames"]
    assert [one["file"] for one in shown] == ["src/a.js", "src/b.js"]
    assert "awaits" not in found


def test_a_map_is_found_by_its_debug_id_too(whole, mongo_url, tmp_path):
    id_ = "0123456789abcdef" * 2
    frames = [{"filename": ADDRESS, "lineno": 1, "colno": 1, "function": "t"}]
    value = {"type": "Error", "value": "m", "stacktrace": {"frames": frames}}
    image = {"type": "sourcemap", "code_file": ADDRESS, "debug_id": id_}
    told = {"exception": {"values": [value]}, "debug_meta": {"images": [image]}}
    whole.send(told, kind="sentry")
    whole.counted()
    (tmp_path / "x").mkdir()
    (tmp_path / "x/other.js.map").write_bytes(simple(debug_id=id_))
    options = ("--project", "1", "--mongo-url", mongo_url, *own(whole))
    assert "1 samples" in run("upload", str(tmp_path / "x"), *options).output
    assert functions(whole) == ["outer"]


@pytest.mark.timeout(400)
def test_an_upload_of_sentry_cli_names_stored_samples_too(whole, mongo_url, tmp_path):
    whole.send(report([(1, 1)], "r"))
    whole.counted()
    served_in = tmp_path / "served"
    served_in.mkdir()
    settings = {"STREAMDEFS": str(whole.projects.with_name("streamdefs.yaml"))}
    with served(mongo_url, served_in, **settings) as server:
        (served_in / "dist").mkdir()
        (served_in / "dist/shop.js").write_text("boom(1)\n//# sourceMappingURL=shop.js.map")
        (served_in / "dist/shop.js.map").write_bytes(simple())
        done = server.upload(served_in / "dist", "--release", "r", "--no-rewrite")
        assert done.returncode == 0, done.stdout + done.stderr
        # What the first look missed on a busy machine, the second finds a minute later.
        wait_until(lambda: functions(whole) == ["outer"], "the sample has its names", 3 * WAIT_S)
        wait_until(lambda: len(listed(whole)) == 1, "and its issue", WAIT_S)


def test_what_was_not_done_is_done_the_next_time(whole, upload, mongo_url, monkeypatch):
    """It ended behind the samples, before the issues."""
    whole.send(report([(1, 1)], "r"), 2)
    (before,) = whole.counted()
    with monkeypatch.context() as patched:
        patched.setattr("catchwater.issues.store.IssueStore.continue_as", _ends)
        with pytest.raises(AssertionError, match="Aborted"):
            upload()
    assert listed(whole) == {before: 2}
    assert f"{before} is counted in" in apply(whole, mongo_url, "--release", "r")
    assert list(listed(whole).values()) == [2]
    assert apply(whole, mongo_url) == "", "and then there is nothing more to do"


def _ends(*_arguments: object) -> str:
    raise KeyboardInterrupt


def test_a_damaged_sample_stays_as_it_is(whole, upload, mongo_url):
    whole.send(report([(1, 1)], "r"))
    whole.counted()
    whole.database.samples.update_one({}, {"$set": {"event": b"x"}})
    assert "samples" not in upload()


def test_a_sample_without_maps_is_what_it_was():
    body = {"project": "1", "frames": [{"file": ADDRESS, "line": 1, "column": 1, "function": "t"}]}
    assert look_again(body, "1", DEFAULT, None) is None
