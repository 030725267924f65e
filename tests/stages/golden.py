"""Writes tests/data/grouping/v1.json:

`python -m tests.stages.golden`. Only before version 1 is released.

Afterwards a changed fingerprint is a mistake: what should be named otherwise is named so by a
version 2.
"""

from __future__ import annotations

import json

from tests.stages.grouping_cases import DATA, captures, events, load, named, of_pair


def fingerprints() -> dict[str, str]:
    """The name that each recorded report and event gets, by case."""
    cases = {
        f"{pair['id']}{side}": of_pair(pair[side])
        for pair in load("grouping_pairs_dev.json")["pairs"]
        for side in "ab"
    }
    cases |= {f"event {number}": event for number, event in enumerate(events())}
    cases |= {
        f"{engine} {at}": ("snippet", report)
        for at, (engine, _, _, report) in enumerate(captures())
    }
    return {case: named(kind, body)["fingerprint"] for case, (kind, body) in cases.items()}


if __name__ == "__main__":
    (DATA / "v1.json").write_text(json.dumps(fingerprints(), indent=0) + "\n", encoding="utf-8")
