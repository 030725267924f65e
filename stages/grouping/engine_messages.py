"""The table of what engines say about the same mistake:

`engine_messages.yaml` beside this file, which explains itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

Where = Literal["frame", "source", "nowhere"]


class Row(NamedTuple):
    """One mistake: its canonical form, the type if the table fixes it, where the fault is, and
    the texts.
    """

    canonical: str
    type: str
    where: Where
    texts: tuple[str, ...]


def rows(version: int) -> list[Row]:
    """The rows that fingerprints of `version` know, in the order in which they are tried."""
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    table = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    return [_row(one) for one in table if one.get("since", 1) <= version]


def _row(one: dict[str, Any]) -> Row:
    return Row(one["is"], one.get("type", ""), one.get("where", "frame"), tuple(one["texts"]))
