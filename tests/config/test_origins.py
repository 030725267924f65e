"""What `origins` may say: what a page can have, and for the rest the right form."""

from __future__ import annotations

import re

import pytest

from catchwater.config import projects
from catchwater.errors import ConfigError

PROJECT = 'projects: [{id: "1", name: a, key: "00000000000000000000000000000000", origins: [%s]}]'
CAN_MATCH = [
    "https://shop.example",
    "https://Shop.Example/",
    "https://*.shop.example",
    "https://*",
    "*",
    "shop.example",
    "localhost:3000",
    "http://127.0.0.1:8080",
    "http://[::1]:3000",
    "https://xn--mnchen-3ya.example",
    "file://",
    "null",
    "capacitor://localhost",
    "chrome-extension://abcdefghijklmnop",
    "app://.",
]
CANNOT_MATCH = [
    ("https://shop.example/app", "write https://shop.example"),
    ("shop.example/app", "write shop.example"),
    ("https://shop.example:443", "write https://shop.example"),
    ("http://shop.example:80/", "write http://shop.example"),
    ("https://münchen.example", "write https://xn--mnchen-3ya.example"),
    ("https://shop-*.example", "https://*.shop.example"),
    ("https://*shop.example", "https://*.shop.example"),
    ("https://ann@shop.example", "write a host"),
    ("https://shop.example:port", "or any of these with a port"),
    ("https://", "write a host"),
    ("http://::1", "[::1]"),
    ("https:/shop.example", "has no path"),
    ("shop example", "write a host"),
    ("", "write a host"),
    ("/https/://x", "it begins with a scheme"),
]


def loaded(tmp_path, origin):
    path = tmp_path / "projects.yaml"
    path.write_text(PROJECT % f'"{origin}"', encoding="utf-8")
    return projects.load(path).all[0].origins


@pytest.mark.parametrize("origin", CAN_MATCH)
def test_what_a_page_can_have_is_taken(origin, tmp_path):
    assert loaded(tmp_path, origin) == [origin]


@pytest.mark.parametrize(("origin", "right"), CANNOT_MATCH)
def test_what_no_page_has_is_refused_with_the_right_form(origin, right, tmp_path):
    """It was taken, and every event of the project was answered 403."""
    with pytest.raises(ConfigError, match=re.escape(right)) as mistake:
        loaded(tmp_path, origin)
    assert "projects.0.origins.0" in str(mistake.value)
