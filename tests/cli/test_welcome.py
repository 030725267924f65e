"""What `catchwater up` tells a newcomer."""

from __future__ import annotations

from pathlib import Path

import pytest

from catchwater.box import Box, Ports
from catchwater.projects import Project
from catchwater.streamdefs import load
from catchwater.up import welcome

KEY = "0" * 32


def said(public_url: str = "", url: str | None = None) -> str:
    box = Box(Path("data"), Ports(8080, 8081, 8082), load(None), None, {}, "redis://r", "mongodb://m", public_url)
    return welcome(box, Project(id="1", name="shop", key=KEY, url=url))


@pytest.mark.parametrize(
    ("public_url", "url", "at"),
    [
        ("", None, "http://127.0.0.1:8080"),
        ("https://errors.example/in", None, "https://errors.example/in"),
        ("https://errors.example", "https://shop.example/cw", "https://shop.example/cw"),
    ],
)
def test_tag_and_dsn_are_at_the_address_that_browsers_use(public_url: str, url: str | None, at: str) -> None:
    text = said(public_url, url)
    assert f'<script src="{at}/c/{KEY}.js"></script>' in text
    assert f"catchwater snippet 1 --projects data/projects.yaml --public-url {at}\n" in text
    assert f"{at.replace('://', f'://{KEY}@')}/1\n" in text


def test_every_service_of_the_box_is_told_that_address() -> None:
    box = Box(Path("data"), Ports(1, 2, 3), load(None), None, {}, "redis://r", "mongodb://m", "https://e.example")
    told = box.environment("ingest-1")
    assert (told["CATCHWATER_PUBLIC_URL"], told["CATCHWATER_INGEST_URL"]) == ("https://e.example", "https://e.example")
