"""The versions of grouping, oldest first.

Each is frozen once it is released; the last one groups new events.

To change how events are grouped, add a version: a module beside v1 with a function `group` of its
own, which may import from v1 whatever it does not change, and a line below. While there is more
than one, an event has a fingerprint of each, and an issue that was found by an older one keeps the
id that it has: see stages/existing_issues.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.grouping import v1

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from catchwater.config.grouping_rules import Rule
    from stages.grouping.parsed_event import ParsedEvent
    from stages.grouping.result import GroupingResult

VERSIONS: dict[str, Callable[[ParsedEvent, Sequence[Rule]], GroupingResult]] = {"v1": v1.group}


def group(
    details: ParsedEvent, rules: Sequence[Rule] = ()
) -> tuple[GroupingResult, dict[str, str]]:
    """The newest version's result, and the fingerprint by each version, oldest first."""
    results = {version: group_by(details, rules) for version, group_by in VERSIONS.items()}
    fingerprints = {
        version: f"{version}:{result.fingerprint}" for version, result in results.items()
    }
    return list(results.values())[-1], fingerprints
