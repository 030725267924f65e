from __future__ import annotations

from tests.stages.golden import fingerprints
from tests.stages.grouping_cases import load


def test_version_1_names_every_recorded_case_as_it_did_when_it_was_released():
    """If this fails, do not write v1.json anew: add a version 2 (docs/grouping.md says how)."""
    known, now = load("v1.json"), fingerprints()
    changed = {case: (name, now.get(case)) for case, name in known.items() if now.get(case) != name}
    assert changed == {}
    assert len(known) > 400
