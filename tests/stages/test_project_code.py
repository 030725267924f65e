"""A project says which files are its own code, where their names mislead."""

from __future__ import annotations

import orjson
import pytest
from click.testing import CliRunner

from catchwater.config.code import Code
from catchwater.event import Event
from stages.commands.explain import command
from stages.fingerprint import answer
from stages.project_settings import ProjectSettings

STACK = (
    "TypeError: x is undefined\n"
    "    at render (https://shop.example/src/framework/view.js:3:5)\n"
    "    at pay (https://shop.example/node_modules/@acme/cart/pay.js:7:9)\n"
    "    at boot (https://shop.example/main.js:1:1)\n"
    "    at async (native code)\n"
    "    at spy (chrome-extension://abcdef/main.js:1:1)"
)
REPORT = {"type": "TypeError", "message": "x is undefined", "stack": STACK}


def grouped(code: Code):
    event = Event("0" * 32, "1", 1_763_900_000_000, "snippet", orjson.dumps(REPORT))
    return answer(event, ProjectSettings(code=code)).event.json


@pytest.mark.parametrize(
    ("code", "own", "culprit"),
    [
        (Code(), ["render", "boot"], "render (view.js)"),
        (Code(libraries=["*/src/framework/*"]), ["boot"], "boot (main.js)"),
        (
            Code(own=["*/NODE_MODULES/@acme/*"], libraries=["*/src/framework/*"]),
            ["pay", "boot"],
            "pay (pay.js)",
        ),
        (Code(own=["*framework*", "*main.js"], libraries=["*shop*"]), ["render", "boot"], None),
    ],
)
def test_its_own_word_decides_before_names_do(code, own, culprit):
    body = grouped(code)
    assert [one["function"] for one in body["frames"] if one["in_app"]] == own
    assert culprit in (None, body["culprit"])


def test_explain_goes_by_it_too(tmp_path):
    (tmp_path / "projects.yaml").write_text(
        f'projects: [{{id: "1", name: a, key: "{"0" * 32}", '
        'code: {libraries: ["*/src/framework/*"]}}]'
    )
    asked = ["--project", "1", "--projects", str(tmp_path / "projects.yaml")]
    result = CliRunner().invoke(command, asked, orjson.dumps(REPORT))
    assert orjson.loads(result.stdout)["culprit"] == "boot (main.js)"


def test_what_would_be_everything_is_refused():
    with pytest.raises(ValueError, match="this would match everything"):
        Code(own=["*"])
