"""Every metric: what it means, and what to do when it moves.

docs/generate.py makes docs/metrics.md from this file.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call] # it would add a series per metric that nobody uses

# -- stages and sink ------------------------------------------------------------------------------

COMMITTED = Counter(
    "catchwater_committed_total",
    "Entries by the outcome of their commit. `won`: done by this process. `stale`: done twice and "
    "discarded; if it grows fast, raise claim_after. `dead` above zero: see `catchwater dead "
    "list`.",
    ["stage", "outcome"],
)
COMMIT_SECONDS = Histogram(
    "catchwater_commit_seconds",
    "How long Redis takes to commit a batch. Above 0.1 s: its disk is slow (appendfsync) or it is "
    "overloaded.",
    ["stage"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
LOST = Counter(
    "catchwater_lost_total",
    "Entries that vanished from a stream while they were pending. Must stay 0: something else "
    "trims or deletes; find it.",
    ["stage"],
)
TROUBLE = Counter(
    "catchwater_trouble_total",
    "Times a stage had to wait, by reason. `Unavailable`: Redis or MongoDB is away. `Broken`: the "
    "stage itself raises for most events, which wait: read its log and deploy a fix. `Growing`: "
    "`catchwater partitions grow` runs, or was cut short: run it again. `NoGroup`, `NoLife`: Redis "
    "has lost its groups or its data; the stage sets them up again. `Memory`: Redis is over "
    "its maxmemory, so the stage waits for those behind it: start more of these.",
    ["stage", "why"],
)
NOTICES = Counter(
    "catchwater_notices_total",
    "Notices by kind of channel and outcome: `sent`, `retried`, `failed`. `failed` above zero: a "
    "channel of projects.yaml refuses them, or was away for a day; see the notifier's log, and try "
    "`catchwater notify test PROJECT`.",
    ["channel", "outcome"],
)
PROBES = Counter(
    "catchwater_probes_total",
    "Probes by outcome: `shown`, `not_shown`. `not_shown` growing: what is accepted is not shown; "
    "the log of `catchwater probe` says where each one is.",
    ["outcome"],
)
PROBE_SHOWN = Gauge(
    "catchwater_probe_shown_timestamp_seconds",
    "When a probe was last shown, in seconds since 1970; before the first one, when `catchwater "
    "probe --every` was started. 0: this process sends none.",
)
PROBE_SECONDS = Gauge(
    "catchwater_probe_seconds",
    "Seconds from sending the last probe until it could be read (`all`), and in each hop: ingest, "
    "the stages with the time that it waited for them, the dashboard.",
    ["hop"],
)
ALIVE = Gauge(
    "catchwater_turn_timestamp_seconds",
    "When this process last tried to read from its stream, in seconds since 1970. Older than a "
    "minute: it works on one batch for long; after hang_after it ends itself.",
    ["stage"],
)
MAPS_SEEN = Gauge(
    "catchwater_source_maps_seen_timestamp_seconds",
    "When the newest source map that this stage has seen was uploaded, in seconds since 1970. 0: "
    "it has seen none. Older than the last upload: the stage does not reach the MongoDB that was "
    "uploaded to.",
)

# -- the pipeline, as ingest and the dashboard see it ---------------------------------------------

PIPELINE = {
    "catchwater_redis_up": (
        "1 when the last look at Redis worked. 0: nothing below is known; ingest spools meanwhile.",
        [],
    ),
    "catchwater_partitions_away": (
        (
            "Partitions that could not be read, by the node of a Redis Cluster that has them. "
            "Nothing of them is in the numbers below: see to that node."
        ),
        ["node"],
    ),
    "catchwater_depth": (
        (
            "Events a stage has still to do: unread and pending. Growing: it is too slow or dead; "
            "start another one."
        ),
        ["stage", "reads"],
    ),
    "catchwater_pending": (
        "The part of the depth that a consumer has read and not committed yet.",
        ["stage", "reads"],
    ),
    "catchwater_oldest_age_seconds": (
        "How long the oldest event has waited for a stage. Growing: the stage makes no progress.",
        ["stage", "reads"],
    ),
    "catchwater_consumers": (
        (
            "Consumers in a stage's group that have read something within the last hour, or have "
            "entries pending. 0 while events wait: start the stage."
        ),
        ["stage"],
    ),
    "catchwater_dead": (
        "Dead letters of a stage that were not replayed or dropped: see `catchwater dead list`.",
        ["stage"],
    ),
    "catchwater_done": (
        "Entries a stage has finished since the beginning. Not rising while depth is: no progress.",
        ["stage"],
    ),
    "catchwater_audit": (
        (
            "The numbers of the audit: accepted = counted + duplicates + dropped + dead + depth; "
            "stored = counted, and occurrences_stored = occurrences."
        ),
        ["part"],
    ),
    "catchwater_audit_missing": (
        (
            "Accepted events that are unaccounted for. Anything but 0 is an alert: see `catchwater "
            "audit`."
        ),
        [],
    ),
    "catchwater_audit_adds_up": (
        "1 when the audit adds up, MongoDB's side included where it is known.",
        [],
    ),
    "catchwater_dropped": ("Events that were finished on purpose, by reason.", ["reason"]),
    "catchwater_refused": (
        "Posts that ingest refused, by reason, over all ingest processes.",
        ["reason"],
    ),
    "catchwater_client_losses": (
        "Errors that clients say they discarded themselves, by reason.",
        ["reason"],
    ),
    "catchwater_redis_memory_bytes": (
        "Memory that Redis uses. Near its limit ingest answers 503.",
        [],
    ),
    "catchwater_redis_memory_limit_bytes": ("Redis's maxmemory; 0 when it has none.", []),
}
"""Gauges that are read from Redis at each snapshot, not counted by a process."""

PROJECTS = {
    "catchwater_project_events": (
        (
            "Events of a project in the last whole hour. Like those below it is read from MongoDB "
            "by the dashboard, every half a minute or in a twentieth of the time, for the first 50 "
            "projects of projects.yaml. Rising fast: see its issues by trend."
        ),
        ["project", "name"],
    ),
    "catchwater_project_new_issues": (
        "Issues of a project that were first seen in the last 24 hours: see them by `first_seen`.",
        ["project", "name"],
    ),
    "catchwater_project_regressions": (
        "Issues of a project that were resolved and seen again in the last 24 hours.",
        ["project", "name"],
    ),
    "catchwater_project_issues": (
        "Issues of a project by state: `unresolved`, `resolved`, `ignored`.",
        ["project", "name", "state"],
    ),
    "catchwater_release_events": (
        (
            "Events of a release in this month and the last one. Of each project the newest 5 "
            "releases with at least a hundredth of its events."
        ),
        ["project", "name", "release"],
    ),
    "catchwater_release_new_issues": (
        "Issues that were first seen in one of those releases. Many: see the release's page.",
        ["project", "name", "release"],
    ),
}
"""Gauges of projects and releases, which the dashboard reads from MongoDB."""

# -- ingest ---------------------------------------------------------------------------------------

ACCEPTED = Counter(
    "catchwater_accepted_total", "Events that were answered with 2xx, by kind.", ["kind"]
)
REFUSED = Counter(
    "catchwater_refused_total",
    "Posts that this process refused, by reason. `stream_full`, `memory`, `spool_full`: the "
    "pipeline is too slow, add stages. `share`: the same, for the project that sends most. "
    "`in_flight`: more bytes came at once than `--in-flight-bytes`. "
    "`key`, `origin`: somebody sends with a wrong key or from a "
    "page that is not allowed.",
    ["reason"],
)
WRONG_PASSWORDS = Counter(
    "catchwater_dashboard_wrong_passwords_total",
    "Wrong passwords and tokens that the dashboard was sent, and those it did not look at because "
    "many were wrong before.",
    ["outcome"],
)
MALFORMED = Counter(
    "catchwater_malformed_requests_total",
    "Requests to this server that are no HTTP, by server; those to ingest are refused as "
    "`not_http`.",
    ["server"],
)
LOST_BY_REDIS = Counter(
    "catchwater_lost_by_redis_total",
    "Events that were answered with 2xx and that Redis lost afterwards: after a failover, or "
    "because the end of its append-only file was gone.",
)
SKIPPED = Counter(
    "catchwater_skipped_total",
    "Envelope items that are not errors, by type. They are answered with 2xx and discarded.",
    ["type"],
)
DURABLE = Gauge(
    "catchwater_durable",
    "1 when 2xx means that an event is on Redis's disk, or on as many replicas as are waited for. "
    "0: a crash of Redis's machine may lose accepted events; set appendfsync always.",
)
SPOOLED = Counter(
    "catchwater_spooled_total",
    "Events that went to the local spool because Redis was away. Growing: see Redis.",
)
SPOOL_DEPTH = Gauge(
    "catchwater_spool_depth",
    "Events in the local spool. They are accepted but not yet in the audit. Not falling: see "
    "Redis.",
)
POST_SECONDS = Histogram(
    "catchwater_post_seconds",
    "From a post's headers to its answer. Above 0.1 s: Redis's disk is slow, or this machine is "
    "overloaded.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
