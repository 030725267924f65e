"""What `catchwater snippet` prints is what ingest serves."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from base64 import b64encode

import pytest

from ingest import snippet, tag_check, tags
from tests.ingest.conftest import KEY, PROJECTS, made

ADDRESS = "https://errors.example/in"


@pytest.fixture
def printed(tmp_path):
    """What the command prints with these arguments, and its exit code."""
    (tmp_path / "projects.yaml").write_text(
        PROJECTS + '  - {id: "5", name: own, key: "' + "5" * 32 + '", url: "http://o"}'
    )

    def run(*arguments):
        command = [sys.executable, "-m", "catchwater.commands.cli", "snippet", *arguments]
        done = subprocess.run(
            [*command, "--projects", tmp_path / "projects.yaml"],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr, done.returncode

    return run


def test_the_printed_addresses_and_the_integrity_are_what_ingest_serves(
    printed, redis_server, tmp_path
):
    said, code = printed("1", "--public-url", f"{ADDRESS}/")
    (path,) = set(re.findall(rf'src="{ADDRESS}(/c/{KEY}\.[0-9a-f]{{16}}\.js)"', said))
    with made(redis_server, tmp_path, "--public-url", ADDRESS) as one:
        answer = one.get(path)
        assert (code, answer.status) == (0, 200)
        assert "immutable" in answer.headers["cache-control"]
        hashed = b64encode(hashlib.sha384(answer.body).digest()).decode()
        assert f'integrity="sha384-{hashed}" crossorigin="anonymous"></script>' in said
        assert one.get(re.search(rf'src="{ADDRESS}(/c/{KEY}\.js)"', said)[1]).body == answer.body


def test_a_check_says_whether_that_is_so_and_why_not(printed, redis_server, tmp_path, monkeypatch):
    with made(redis_server, tmp_path) as one:
        right, cut = f"http://127.0.0.1:{one.port}", f"http://localhost:{one.port}/below"
        assert printed("1", "--check", "--public-url", right)[1] == 0
        assert printed("1", "--check", "--public-url", cut)[1] == 0
        one.stop()
        said, code = printed("1", "--check", "--public-url", right)
        assert (code, "cannot be fetched" in said) == (1, True)
        one.options = ("--public-url", cut)
        one.start()
        said, code = printed("1", "--check", "--public-url", right)
        assert (
            code,
            f"does not report to {right}. Start ingest with --public-url {right}" in said,
        ) == (1, True)
        (tmp_path / "other.js").write_text('other("__CATCHWATER_ENDPOINT__")')
        monkeypatch.setitem(snippet.FILES, "", tmp_path / "other.js")
        assert "another version" in tag_check.trouble(tags.Page(cut, KEY))


def test_a_project_is_named_by_its_id_or_its_key(printed):
    assert printed("1", "--public-url", ADDRESS) == printed(KEY, "--public-url", ADDRESS)


def test_a_project_s_own_address_wins_as_it_does_in_ingest(printed):
    said, _ = printed("5", "--public-url", ADDRESS)
    assert ADDRESS not in said
    assert f'src="http://o/c/{"5" * 32}.js"' in said


def test_only_the_inline_way_is_printed_on_demand_with_the_nonce_on_each_tag(printed):
    said, _ = printed("1", "--public-url", ADDRESS, "--inline", "--nonce", '<%= nonce["a"] %>')
    assert said.count('<script nonce="<%= nonce["a"] %>"') == said.count("<script") == 2
    assert tags.stub() in said
    assert said.endswith(f' async src="{ADDRESS}/c/{KEY}.js"></script>\n')


WRONG = {
    ("1",): "CATCHWATER_PUBLIC_URL",
    ("77", "--public-url", ADDRESS): "'77' is no project of",
    ("1", "--public-url", "errors.example"): "'errors.example' is no address of ingest",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_what_is_missing_or_wrong_is_told_with_the_next_step(printed, arguments):
    said, code = printed(*arguments)
    assert (code, WRONG[arguments] in " ".join(said.split())) == (2, True)


def test_the_stub_cannot_end_the_tag_it_stands_in():
    assert "</script" not in tags.stub().lower()
