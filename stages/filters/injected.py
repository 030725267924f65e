"""Errors of scripts that others put into the page: `injected.yaml` says which are known."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

_SCRIPT_FILES = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".vue", ".svelte")
_LONGEST = 2048  # characters of a message that are looked at: the known ones are short


class Known(BaseModel):
    """A text that identifies a script, and the source for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    source: str
    whole: bool = False

    def describes(self, text: str) -> bool:
        return text == self.text if self.whole else self.text in text


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    extensions: list[Known]
    injected: list[Known]
    scripts: list[Known]


@cache
def table() -> Table:
    return Table.model_validate(
        yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    )


def says_extension(message: str) -> bool:
    """An extension's message."""
    return any(one.describes(message[:_LONGEST]) for one in table().extensions)


def says_injected(message: str) -> bool:
    """A message of a script that an app or a proxy put into the page."""
    return any(one.describes(message[:_LONGEST]) for one in table().injected)


def is_injected(file: str) -> bool:
    """A script that is known to be put into pages."""
    return any(one.describes(file) for one in table().scripts)


def is_script_file(file: str, page: str) -> bool:
    """A script of its own, not code that stands in the page: injected code has the page's
    address, or none.
    """
    address = _plain(file)
    return address != _plain(page) and address.lower().endswith(_SCRIPT_FILES)


def _plain(address: str) -> str:
    return address.partition("#")[0].partition("?")[0]
