"""The audit: the identity that proves the counts.

    accepted = counted + duplicates + dropped + dead + depth

and MongoDB has counted as many events and occurrences as the pipeline has. Pure.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from catchwater.streams import time_buckets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from catchwater.monitoring.snapshot import Snapshot


class CounterTotals(NamedTuple):
    """Counted `events`, and how many occurrences these stand for beyond one each (`more`)."""

    events: int
    more: int = 0

    @property
    def occurrences(self) -> int:
        return self.events + self.more

    def plus(self, other: CounterTotals) -> CounterTotals:
        return CounterTotals(self.events + other.events, self.more + other.more)

    def at_most(self, other: CounterTotals) -> bool:
        return self.events <= other.events and self.more <= other.more

    def least(self, other: CounterTotals) -> CounterTotals:
        return CounterTotals(min(self.events, other.events), min(self.more, other.more))


@dataclass(frozen=True, slots=True)
class Audit:
    """Both sides of the identity, in events but for the occurrences.

    `lost_by_redis` stands beside it: what Redis lost, it has not accepted any more. `stored` and
    `occurrences_stored` are MongoDB's side; None when it is not known.
    """

    accepted: int
    counted: int
    duplicates: int
    dropped: dict[str, int]
    dead: int
    depth: int
    stored: int | None
    occurrences: int
    occurrences_stored: int | None
    refused: dict[str, int]
    client_losses: dict[str, int]
    lost_by_redis: int
    on_the_way: int
    adds_up: bool

    @property
    def missing(self) -> int:
        """How many accepted events are unaccounted for; below zero: how many too many."""
        finished = self.counted + self.duplicates + sum(self.dropped.values()) + self.dead
        return self.accepted - finished - self.depth

    def as_json(self) -> dict[str, Any]:
        """The `audit` of `GET /api/pipeline`."""
        return asdict(self) | {"missing": self.missing}


def make_audit(snapshot: Snapshot, stored: CounterTotals | None = None) -> Audit:
    """The audit of a snapshot. `stored` is what MongoDB has counted; None if it is not known.

    While the sink has something left to store, MongoDB may have less than was counted.
    """
    counted = counted_in(snapshot)
    behind = stored is not None and stored.at_most(counted) and snapshot.on_the_way > 0
    audit = Audit(
        accepted=snapshot.accepted,
        counted=counted.events,
        duplicates=snapshot.duplicates,
        dropped=snapshot.dropped,
        dead=snapshot.dead,
        depth=snapshot.depth,
        stored=stored and stored.events,
        occurrences=counted.occurrences,
        occurrences_stored=stored and stored.occurrences,
        refused=snapshot.refused,
        client_losses=snapshot.client_losses,
        lost_by_redis=snapshot.lost_by_redis,
        on_the_way=snapshot.on_the_way,
        adds_up=stored is None or stored == counted or behind,
    )
    return replace(audit, adds_up=audit.adds_up and audit.missing == 0)


def counted_in(snapshot: Snapshot, before: str | None = None) -> CounterTotals:
    """What was counted in all months, or in those before the month `before` (`yyyymm`)."""

    def total(by_month: Mapping[str, int]) -> int:
        return sum(n for month, n in by_month.items() if before is None or month < before)

    return CounterTotals(total(snapshot.counted), total(snapshot.more))


def first_audited_month(retention: timedelta, now: datetime | None = None) -> str:
    """The first month (`yyyymm`) of which MongoDB still has every issue, after `retention`, and
    its counts by partition.

    Months before it count as stored: some of their issues have expired, or are one sum.
    """
    oldest = (now or datetime.now(UTC)) - min(retention, time_buckets.OPEN)
    return (oldest.replace(day=1) + timedelta(days=32)).strftime("%Y%m")
