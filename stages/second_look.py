"""A sample looked at again: source maps came in after its event was grouped.

Pure: the maps come from outside.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from catchwater.stage import SecondLook
from stages import project_settings
from stages.grouping import grouped_event, project_code, stored_event, versions
from stages.grouping.source_frames import is_mapped, resolve
from stages.scrubbing.events import scrub

if TYPE_CHECKING:
    from catchwater.sourcemaps.lookup import Maps
    from stages.grouping.parsed_event import ParsedEvent
    from stages.grouping.result import GroupingResult
    from stages.project_settings import ProjectSettings


def look_again(
    sample: dict[str, Any], project: str, settings: ProjectSettings, maps: Maps | None
) -> SecondLook | None:
    """None where no frame has a map now that had none before.

    Its event's issue stays what it is. Which one such an event belongs to from now on is certain
    only where the sample, as it was stored, still has all that its own issue was made of: not where
    the client gave a fingerprint, which is not stored, nor while there are two versions of
    grouping, nor without the project's settings.
    """
    details = stored_event.read(sample)
    _, before = versions.group(details, settings.rules)
    mapped = _mapped(details)
    resolve(details, project, maps)
    if _mapped(details) == mapped:
        return None
    project_code.decide(details, settings.code)
    result, after = versions.group(details, settings.rules)
    shown = _shown(sample, details, result, settings)
    if settings is project_settings.DEFAULT:  # whoever knows its rules may see more
        return SecondLook(shown, details.awaits or sample.get("awaits", []))
    if len(versions.VERSIONS) > 1 or before != sample.get("fingerprints"):
        return SecondLook(shown, details.awaits)
    (name,) = after.values()
    title = settings.cleaner.clean(result.title, Counter())
    about = grouped_event.about({**sample, **shown}, title)
    return SecondLook(shown, details.awaits, f"{project}:{name}", about)


def _mapped(details: ParsedEvent) -> int:
    stacks = [one.frames for one in (details.thrown, *details.chain)]
    return sum(is_mapped(frame) for frames in stacks for frame in frames)


def _shown(
    sample: dict[str, Any],
    details: ParsedEvent,
    result: GroupingResult,
    settings: ProjectSettings,
) -> dict[str, Any]:
    """The fields that maps change, without what is private in them."""
    fields = {
        "culprit": grouped_event.culprit(details, result),
        "frames": [frame.as_json() for frame in details.thrown.frames],
        "chain": grouped_event.causes(details),
    }
    body = {**sample, **fields}
    scrub(body, settings.cleaner)
    return {name: body[name] for name in fields}
