"""The verdict: what the load knows was accepted, against what Catchwater has counted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pymongo

if TYPE_CHECKING:
    from tests.chaos.load import Ledger
    from tests.chaos.system import ChaosSystem


@dataclass
class Verdict:
    """Empty lists and equal numbers, or something was lost or counted twice."""

    missing: list[str]
    """Ids that were accepted and are not stored."""
    unknown: list[str]
    """Ids that are stored and were never accepted."""
    wrong: dict[str, tuple[int, int]]
    """Issues whose count is not exact: what it should be, what it is."""
    audit: dict[str, Any]
    audit_exit: int
    dead: int

    @property
    def exact(self) -> bool:
        return not (self.missing or self.unknown or self.wrong or self.dead or self.audit_exit)


def judge(system: ChaosSystem, ledger: Ledger) -> Verdict:
    with pymongo.MongoClient[dict[str, Any]](system.ports["mongo_url"]) as client:
        stored = {one["_id"] for one in client.catchwater.samples.find({}, {"_id": 1})}
    counts = {one["type"]: one["count"] for one in system.api("/api/issues?limit=200")["issues"]}
    expected = ledger.by_issue
    audit = system.command("audit", "--json")
    dead = system.command("dead", "list", "--limit", "1000")
    return Verdict(
        missing=sorted(set(ledger.accepted) - stored),
        unknown=sorted(stored - set(ledger.accepted)),
        wrong={
            issue: (expected[issue], counts.get(issue, 0))
            for issue in expected | counts
            if expected[issue] != counts.get(issue, 0)
        },
        audit=json.loads(audit.stdout),
        audit_exit=audit.returncode,
        dead=len(dead.stdout.splitlines()),
    )
