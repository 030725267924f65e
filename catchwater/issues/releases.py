"""The order of releases: by semantic version where both have one, else by first appearance.

Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

_VERSION = re.compile(
    r"(?P<package>.+@)?[vV]?(?P<numbers>\d{1,18}(?:\.\d{1,18}){1,3})"
    r"(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+(?P<build>[0-9A-Za-z.-]+))?"
)


@dataclass(frozen=True, slots=True)
class Releases:
    """The releases of one project by name, with when each was first seen."""

    first_seen: Mapping[str, datetime] = field(default_factory=dict)

    def is_older(self, one: str, other: str) -> bool:
        """Whether `one` came before `other`. One that nobody has seen yet comes last."""
        if one == other:
            return False
        order = version_order(one, other)
        if order is not None:
            return order < 0
        first, second = self.first_seen.get(one), self.first_seen.get(other)
        return first is not None and (second is None or first < second)

    def newest(self) -> str:
        """The release that no other one is newer than; '' without any."""
        found = ""
        for one in sorted(self.first_seen, key=self.first_seen.__getitem__):
            if not found or not self.is_older(one, found):
                found = one
        return found

    def before(self, name: str) -> str:
        """The newest of the releases that are older than this one; '' without any."""
        older = [one for one in self.first_seen if self.is_older(one, name)]
        return Releases({one: self.first_seen[one] for one in older}).newest()


def oldest(names: Collection[str]) -> str:
    """The oldest version among these; where they cannot be compared, the first by alphabet.

    '' without any.
    """
    found = ""
    for one in sorted(names):
        if not found or (version_order(one, found) or 0) < 0:
            found = one
    return found


def version_order(one: str, other: str) -> int | None:
    """Below, above or 0 as `one` is the older, the newer or an equal semantic version.

    None where they cannot be compared: one is no version, or they are of two packages.
    """
    first, second = _VERSION.fullmatch(one), _VERSION.fullmatch(other)
    if not first or not second or first["package"] != second["package"]:
        return None
    numbers = zip_longest(_numbers(first), _numbers(second), fillvalue=0)
    different = next((a - b for a, b in numbers if a != b), 0)
    return different or _pre_release_order(first["pre"] or "", second["pre"] or "")


def _numbers(version: re.Match[str]) -> list[int]:
    return [int(number) for number in version["numbers"].split(".")]


def _pre_release_order(one: str, other: str) -> int:
    """As semver.org has it: none is the newest; numbers come before words."""
    if not one or not other:
        return bool(other) - bool(one) if one != other else 0
    first, second = _identifiers(one), _identifiers(other)
    return (first > second) - (first < second)


def _identifiers(text: str) -> list[tuple[bool, int, str]]:
    return [
        (False, int(part), "") if part.isdigit() else (True, 0, part) for part in text.split(".")
    ]
