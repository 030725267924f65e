"""The versions of naming, oldest first. Each is frozen once it is released; the last one names new issues.

To change how issues are named, add a version: a module beside v1 with a `name` of its own, which may import from v1
whatever it does not change, and a line below. While there is more than one, an event has a name of each, and an issue
that an older one named goes on under the id that it has: see stages/known.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.naming import v1

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from catchwater.renaming import Rule
    from stages.naming.name import Name
    from stages.naming.told import Details

VERSIONS: dict[str, Callable[[Details, Sequence[Rule]], Name]] = {"v1": v1.name}


def named(details: Details, rules: Sequence[Rule] = ()) -> tuple[Name, dict[str, str]]:
    """The newest version's name, with its reasons, and each version's fingerprint, oldest first."""
    names = {version: name(details, rules) for version, name in VERSIONS.items()}
    return list(names.values())[-1], {version: f"{version}:{one.fingerprint}" for version, one in names.items()}
