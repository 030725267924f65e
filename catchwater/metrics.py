"""Every metric, each with its meaning and what to do when it moves. The docs page is made from this file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catchwater.pipeline import Audit, Snapshot

disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each, and nobody asks for it

OUTCOMES = ("won", "stale", "emitted", "duplicate", "dropped", "dead", "stored")
"""What commits answer, in the order of commit.lua."""

# -- stages and sink ------------------------------------------------------------------------------------

COMMITTED = Counter(
    "catchwater_committed_total",
    "Entries by what their commit came to. `won` is the work done; `stale` is work done twice and thrown away: if it "
    "grows fast, raise claim_after. `dead` above zero: see `catchwater dead list`.",
    ["stage", "outcome"],
)
COMMIT_SECONDS = Histogram(
    "catchwater_commit_seconds",
    "How long Redis takes for one commit of a batch. Above 0.1 s: its disk is slow (appendfsync) or it is overloaded.",
    ["stage"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
LOST = Counter(
    "catchwater_lost_total",
    "Entries that vanished from a stream while they were pending. Must stay 0: something trims or deletes; find it.",
    ["stage"],
)
TROUBLE = Counter(
    "catchwater_trouble_total",
    "Times a stage had to wait, by why. `Unavailable`: Redis or MongoDB is away. `Broken`: the stage itself raises "
    "for most events; its events wait: read its log and deploy a fix.",
    ["stage", "why"],
)
ALIVE = Gauge(
    "catchwater_turn_timestamp_seconds",
    "When this process last read from its stream, in seconds since 1970. Older than a minute: it hangs; restart it.",
    ["stage"],
)
MAPS_SEEN = Gauge(
    "catchwater_source_maps_seen_timestamp_seconds",
    "When the newest source map was uploaded that this stage knows of, in seconds since 1970. 0: it knows of none. "
    "Older than the last upload: the stage does not reach the MongoDB that was uploaded to.",
)

# -- the pipeline, as ingest and the dashboard see it ----------------------------------------------------

PIPELINE = {
    "catchwater_redis_up": (
        "1 when the last look at Redis worked. 0: nothing below is known; ingest spools meanwhile.",
        [],
    ),
    "catchwater_depth": (
        "Events a stage has still to do: unread and pending. Growing: it is too slow or dead; start another one.",
        ["stage", "reads"],
    ),
    "catchwater_pending": ("The part of the depth that is in some consumer's hands.", ["stage", "reads"]),
    "catchwater_oldest_age_seconds": (
        "How long the oldest event has waited for a stage. Growing: the stage makes no progress.",
        ["stage", "reads"],
    ),
    "catchwater_consumers": ("Consumers a stage's group knows, dead ones included until they are reaped.", ["stage"]),
    "catchwater_dead": (
        "Dead letters a stage left that nobody has replayed or dropped: `catchwater dead list`.",
        ["stage"],
    ),
    "catchwater_done": (
        "Entries a stage has finished since the beginning. Not rising while depth is: no progress.",
        ["stage"],
    ),
    "catchwater_audit": (
        (
            "One side of the audit each: accepted = counted + duplicates + dropped + dead + depth; stored = counted, "
            "and occurrences_stored = occurrences."
        ),
        ["part"],
    ),
    "catchwater_audit_missing": (
        "Accepted events that are unaccounted for. Anything but 0 is an alert: see `catchwater audit`.",
        [],
    ),
    "catchwater_audit_adds_up": ("1 when the audit adds up, MongoDB's side included where it is known.", []),
    "catchwater_dropped": ("Events that were finished on purpose, by reason.", ["reason"]),
    "catchwater_refused": (
        "Posts that were refused at the door, by reason, as all ingest processes told Redis.",
        ["reason"],
    ),
    "catchwater_client_losses": ("Events that clients say they lost themselves, by their reason.", ["reason"]),
    "catchwater_redis_memory_bytes": ("Memory Redis uses. Near its limit ingest answers 503.", []),
    "catchwater_redis_memory_limit_bytes": ("Redis's maxmemory; 0 when it has none.", []),
}
"""Gauges: they are read off Redis at each snapshot, not counted by a process."""


Samples = dict[str, list[tuple[tuple[str, ...], float]]]


def of_pipeline(snapshot: Snapshot | None, audit: Audit | None) -> Iterator[GaugeMetricFamily]:
    """The metrics of PIPELINE, from a snapshot."""
    values: Samples = {"catchwater_redis_up": [((), float(snapshot is not None))]}
    if snapshot is not None and audit is not None:
        values |= _of_stages(snapshot) | _of_audit(snapshot, audit)
    for name, samples in values.items():
        meaning, labels = PIPELINE[name]
        family = GaugeMetricFamily(name, meaning, labels=labels)
        for label_values, value in samples:
            family.add_metric(label_values, value)
        yield family


def _of_stages(snapshot: Snapshot) -> Samples:
    stages = snapshot.stages
    return {
        "catchwater_depth": [((one.stage, one.reads), one.depth) for one in stages],
        "catchwater_pending": [((one.stage, one.reads), one.pending) for one in stages],
        "catchwater_oldest_age_seconds": [((one.stage, one.reads), one.oldest_age_s) for one in stages],
        "catchwater_consumers": [((one.stage,), one.consumers) for one in stages],
        "catchwater_dead": [((one.stage,), one.dead) for one in stages],
        "catchwater_done": [((one.stage,), one.done_total) for one in stages],
        "catchwater_redis_memory_bytes": [((), snapshot.memory_used)],
        "catchwater_redis_memory_limit_bytes": [((), snapshot.memory_limit)],
    }


def _of_audit(snapshot: Snapshot, audit: Audit) -> Samples:
    names = ("accepted", "counted", "duplicates", "dead", "depth", "stored", "occurrences", "occurrences_stored")
    parts = {name: value for name in names if (value := getattr(audit, name)) is not None}
    parts["dropped"] = sum(audit.dropped.values())
    return {
        "catchwater_audit": [((name,), value) for name, value in parts.items()],
        "catchwater_audit_missing": [((), audit.missing)],
        "catchwater_audit_adds_up": [((), float(audit.adds_up))],
        "catchwater_dropped": [((reason,), n) for reason, n in audit.dropped.items()],
        "catchwater_refused": [((reason,), n) for reason, n in snapshot.refused.items()],
        "catchwater_client_losses": [((reason,), n) for reason, n in snapshot.client_losses.items()],
    }


# -- ingest ---------------------------------------------------------------------------------------------

ACCEPTED = Counter("catchwater_accepted_total", "Events that were answered with 2xx, by how they came.", ["kind"])
REFUSED = Counter(
    "catchwater_refused_total",
    "Posts that were refused, by reason. `stream_full`, `memory`, `spool_full`: the pipeline is too slow, add stages. "
    "`key`, `origin`: somebody sends with a wrong key or from a page that is not allowed.",
    ["reason"],
)
SKIPPED = Counter(
    "catchwater_skipped_total", "Envelope items that are not errors, answered and not kept, by type.", ["type"]
)
SPOOLED = Counter(
    "catchwater_spooled_total", "Events that went to the local spool because Redis was away. Growing: see Redis."
)
SPOOL_DEPTH = Gauge(
    "catchwater_spool_depth",
    "Events in the local spool. They are accepted but not yet in the audit. Not falling: see Redis.",
)
POST_SECONDS = Histogram(
    "catchwater_post_seconds",
    "From a post's headers to its answer. Above 0.1 s: Redis's disk is slow, or this machine is overloaded.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
