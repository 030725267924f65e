"""No text of a stranger's reaches a terminal, or a log, with characters that a terminal obeys."""

from __future__ import annotations

import ast
import unicodedata
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

import catchwater
from catchwater.commands.cli import catchwater as cli
from catchwater.commands.printing import say
from catchwater.visible import visible

ROOT = Path(catchwater.__file__).parents[1]
SERVICES = ("catchwater", "ingest", "stages", "sink", "dashboard")
EXACT = {"catchwater/commands/printing.py", "ingest/commands/snippet.py"}
"""What prints, and what prints our own script byte by byte."""

HARMLESS = "\t\n"
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def is_obeyed(one: str) -> bool:
    """Whether it is a control, half a pair, or turns the direction of what follows."""
    turns = unicodedata.bidirectional(one) in TURNING
    return unicodedata.category(one) in ("Cc", "Cs") or turns


@given(st.text(st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Cs"])))
@example("\x1b]52;c;aGk=\x07")
@example("\u202e\u2066\x9b31m\r")
@example("\U000e0041\u3164\u00ad\u180e")
def test_what_is_printed_can_be_seen_and_is_the_same_in_json(text):
    shown = visible(text)
    assert [one for one in shown if is_obeyed(one) and one not in HARMLESS] == []
    assert not {"\u2028", "\u2029", "\u3164", "\U000e0041"} & set(shown)
    assert orjson.loads(visible(orjson.dumps([text.encode("utf-8", "replace").decode()]).decode()))


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"])))
@example("👩‍🚀 naïve 日本語 ✔️"[2:])
@example("\U000e0100")
def test_what_people_write_stays(text):
    """But for what has no width, which ideographs may have behind them, too."""
    kept = text.translate(dict.fromkeys(map(ord, "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")))
    variations = {*range(0x180B, 0x1810), *range(0xE0100, 0xE01F0)}
    assert visible(kept) == kept or variations & set(map(ord, kept))


@pytest.mark.parametrize("err", [False, True])
def test_say_prints_nothing_that_a_terminal_obeys(capsys, err):
    say("\x1b[2J \x9b \u202e\ud800", err=err)
    shown = "".join(capsys.readouterr())
    assert shown == "\\u001b[2J \\u009b \\u202e\\ud800\n"


def test_every_command_prints_so():
    direct = [
        f"{file}:{node.lineno}"
        for service in SERVICES
        for path in (ROOT / service).rglob("*.py")
        if (file := str(path.relative_to(ROOT))) not in EXACT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("click.echo", "print")
    ]
    assert direct == []


def test_what_is_explained_is_shown_so(tmp_path):
    report = {"message": "\x9b31m\u202e", "type": "\x1b[2J", "id": "0" * 32}
    (tmp_path / "report").write_bytes(orjson.dumps(report))
    printed = CliRunner().invoke(cli, ["explain", str(tmp_path / "report")]).output
    assert orjson.loads(printed)["message"].startswith("\x9b31m")
    assert printed.removesuffix("\n").isprintable()
