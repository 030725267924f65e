"""What `catchwater up` tells a newcomer."""

from __future__ import annotations

import re
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from catchwater.commands.up import welcome
from catchwater.config.projects import Project
from catchwater.config.streamdefs import load
from catchwater.local.processes import LocalProcesses, Ports
from catchwater.local.servers import free_port

KEY = "0" * 32


def local(public_url: str, ingest_port: int = 8080) -> LocalProcesses:
    return LocalProcesses(
        Path("data"),
        Ports(ingest_port, 8081, 8082),
        load(None),
        {},
        redis_url="redis://r",
        mongo_url="mongodb://m",
        public_url=public_url,
    )


@pytest.mark.parametrize(
    ("public_url", "url", "at"),
    [
        ("", None, "http://127.0.0.1:8080"),
        ("https://errors.example/in", None, "https://errors.example/in"),
        ("https://errors.example", "https://shop.example/cw", "https://shop.example/cw"),
    ],
)
def test_tag_and_dsn_are_at_the_address_that_browsers_use(
    public_url: str, url: str | None, at: str
) -> None:
    project = Project(id="1", name="shop", key=KEY, url=url)
    text = welcome(local(public_url), project)
    assert f'<script src="{at}/c/{KEY}.js"></script>' in text
    assert "catchwater status, audit, dead list, project list, snippet 1 ...\n" in text
    assert shutil.which(re.search(r"commands +(\S+)", text)[1])
    assert f"{at.replace('://', f'://{KEY}@')}/1\n" in text


def test_every_service_knows_that_address() -> None:
    with closing(local("https://e.example", ingest_port=free_port())) as processes:
        for service in processes.services():
            settings = service.environment
            assert settings["CATCHWATER_PUBLIC_URL"] == "https://e.example"
            assert settings["CATCHWATER_INGEST_URL"] == "https://e.example"
