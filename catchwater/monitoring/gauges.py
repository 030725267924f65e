"""A snapshot and its audit as the gauges of `metrics.PIPELINE`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

from catchwater import metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catchwater.monitoring.audit import Audit
    from catchwater.monitoring.snapshot import Snapshot

Samples = dict[str, list[tuple[tuple[str, ...], float]]]


def gauges_of(snapshot: Snapshot | None, audit: Audit | None) -> Iterator[GaugeMetricFamily]:
    """The metrics of PIPELINE, from a snapshot."""
    values: Samples = {"catchwater_redis_up": [((), float(snapshot is not None))]}
    if snapshot is not None and audit is not None:
        values |= _of_stages(snapshot) | _of_audit(snapshot, audit)
    for name, samples in values.items():
        meaning, labels = metrics.PIPELINE[name]
        family = GaugeMetricFamily(name, meaning, labels=labels)
        for label_values, value in samples:
            family.add_metric(label_values, value)
        yield family


def _of_stages(snapshot: Snapshot) -> Samples:
    stages = snapshot.stages
    return {
        "catchwater_depth": [((one.stage, one.reads), one.depth) for one in stages],
        "catchwater_pending": [((one.stage, one.reads), one.pending) for one in stages],
        "catchwater_oldest_age_seconds": [
            ((one.stage, one.reads), one.oldest_age_s) for one in stages
        ],
        "catchwater_consumers": [((one.stage,), one.consumers) for one in stages],
        "catchwater_dead": [((one.stage,), one.dead) for one in stages],
        "catchwater_done": [((one.stage,), one.done_total) for one in stages],
        "catchwater_partitions_away": [((node,), n) for node, n in snapshot.away.items()],
        "catchwater_redis_memory_bytes": [((), snapshot.memory_used)],
        "catchwater_redis_memory_limit_bytes": [((), snapshot.memory_limit)],
    }


def _of_audit(snapshot: Snapshot, audit: Audit) -> Samples:
    names = (
        "accepted",
        "counted",
        "duplicates",
        "dead",
        "depth",
        "stored",
        "occurrences",
        "occurrences_stored",
    )
    parts = {name: value for name in names if (value := getattr(audit, name)) is not None}
    parts["dropped"] = sum(audit.dropped.values())
    return {
        "catchwater_audit": [((name,), value) for name, value in parts.items()],
        "catchwater_audit_missing": [((), audit.missing)],
        "catchwater_audit_adds_up": [((), float(audit.adds_up))],
        "catchwater_dropped": [((reason,), n) for reason, n in audit.dropped.items()],
        "catchwater_refused": [((reason,), n) for reason, n in snapshot.refused.items()],
        "catchwater_client_losses": [
            ((reason,), n) for reason, n in snapshot.client_losses.items()
        ],
    }
