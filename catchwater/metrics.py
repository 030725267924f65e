"""Every metric, each with its meaning and what to do when it moves. The docs page is made from this file."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

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
