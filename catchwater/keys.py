"""Every Redis key that Catchwater uses. `{tag}` is the partition's hash tag, braces included.

| key                              | type   | holds                                                  | life          |
|----------------------------------|--------|--------------------------------------------------------|---------------|
| `cw:meta`                        | hash   | `partitions`, `layout`: must agree with every service  | permanent     |
| `cw:door`                        | hash   | `refused:<reason>`, `client:<reason>`: never accepted  | permanent     |
| `cw:{tag}:stream:<stream>`       | stream | entries: an event each; trimmed behind all groups      | permanent     |
| `cw:{tag}:dead`                  | stream | dead letters: an entry each, with stage, why, tries    | permanent     |
| `cw:{tag}:ledger`                | hash   | what commits did, by stage and outcome (see pipeline)  | permanent     |
| `cw:{tag}:life`                  | string | random name of the partition's life; new after a loss  | permanent     |
| `cw:{tag}:gen:<yyyymm>`          | hash   | how often each tally bucket of that month was created  | issues + 62 d |
| `cw:{tag}:once:<stage>:<window>` | set    | marks met in that window of time                       | 1.5 once_for  |
| `cw:{tag}:tally:<bucket>`        | hash   | absolute counters of an hour, or of a month            | 6 h, or 40 d  |

A life is permanent, or a TTL counted from the last change. `issues` is `retention.issues`.
"""

from __future__ import annotations

META = "cw:meta"
DOOR = "cw:door"
PREFIX = "cw:"

HOUR_TTL = 6 * 3600
"""Seconds an hour's counters outlive their last change. A later event starts a new generation: exact too."""

MONTH_TTL = 40 * 86_400
"""The same for a month's counters."""

_PERMANENT = ("dead", "ledger", "life")


def stream(tag: str, name: str) -> str:
    return f"cw:{{{tag}}}:stream:{name}"


def dead(tag: str) -> str:
    return f"cw:{{{tag}}}:dead"


def ledger(tag: str) -> str:
    return f"cw:{{{tag}}}:ledger"


def life(tag: str) -> str:
    return f"cw:{{{tag}}}:life"


def generations(tag: str, month: str) -> str:
    return f"cw:{{{tag}}}:gen:{month}"


def once(tag: str, stage: str, window: int) -> str:
    return f"cw:{{{tag}}}:once:{stage}:{window}"


def tally(tag: str, bucket: str) -> str:
    return f"cw:{{{tag}}}:tally:{bucket}"


def permanent(key: str) -> bool:
    """Whether `key` may live without a TTL."""
    if key in (META, DOOR):
        return True
    _, _, rest = key.partition("}:")
    return rest in _PERMANENT or rest.startswith("stream:")
