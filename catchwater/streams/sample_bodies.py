"""Which events must go on whole: those that a stage may look into, and those that may be samples.

Pure, but for the import of stages.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from catchwater.errors import StageImportError
from catchwater.stage import SamplesWanted
from catchwater.streams import commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.stage import Stage

    Import = Callable[[str], Stage]

SPARE = 1.25
"""Times as many as become samples: some may end before they are counted, as copies."""


def samples_wanted(
    defs: StreamDefs, names: Sequence[str], import_stage: Import
) -> SamplesWanted | None:
    """Which events of an issue have to go on whole, behind the functions of these stages that open
    something.

    None: all of them, because a function behind may read bodies, or is not installed here.
    """
    opening = [
        (name, position)
        for name in names
        for position, path in enumerate(defs.stages[name].run)
        if import_stage(path).open_resources
    ]
    if any(_reads_bodies(path, import_stage) for one in opening for path in _behind(defs, *one)):
        return None
    first, hourly = commit.samples(defs, defs.tallied)
    return SamplesWanted(math.ceil(first * SPARE), math.ceil(hourly * SPARE), defs.partition_of)


def _behind(defs: StreamDefs, name: str, position: int = -1) -> Iterator[str]:
    """The functions that an event may come to behind one of a stage, up to those of the stage that
    counts.
    """
    stage = defs.stages[name]
    yield from stage.run[position + 1 :]
    if name != defs.tallied and stage.emits:
        for reader in defs.readers(stage.emits):
            yield from _behind(defs, reader)


def _reads_bodies(path: str, import_stage: Import) -> bool:
    try:
        return import_stage(path).reads_body
    except StageImportError:
        return True
