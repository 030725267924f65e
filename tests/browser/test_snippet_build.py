"""The committed minified snippet is the readable one: small, ES5, ready for the server's one replacement."""

from __future__ import annotations

import gzip
import os
import shutil

import pytest

from tests.browser.toolchain import MINIFIED, SNIPPET, minify, parse_as_es5

TOKEN = '"__CATCHWATER_ENDPOINT__"'


@pytest.fixture(scope="module", autouse=True)
def npm():
    if not shutil.which("npm"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no npm on PATH: apt-get install npm")


def test_the_minified_snippet_is_up_to_date():
    assert MINIFIED.read_text() == minify(), "run: python -m tests.browser.build_snippet"


@pytest.mark.parametrize("script", [SNIPPET, MINIFIED], ids=lambda path: path.name)
def test_its_syntax_is_es5_and_the_endpoint_stands_in_it_once(script):
    parse_as_es5(script)
    assert script.read_text().count(TOKEN) == 1


def test_it_is_at_most_a_kilobyte_and_a_half():
    assert len(gzip.compress(MINIFIED.read_bytes(), 9)) <= 1536
