"""Every Redis key that Catchwater uses. `{tag}` is the partition's hash tag, braces included.

| key                                      | type   | contents                              | expires       |
|------------------------------------------|--------|---------------------------------------|---------------|
| `cw:meta`                                | hash   | what is fixed: see agreement.py       | never         |
| `cw:door`                                | hash   | counts of what ingest did not accept  | never         |
| `cw:{cw:door}:<sender>`                  | string | number of the counts it added last    | 1 h           |
| `cw:added:<sender>`                      | string | events that this ingest process added | 1 d           |
| `cw:{tag}:added:<sender>`                | string | the same of one partition, on a cluster | 1 d         |
| `cw:rate:<project>`                      | hash   | what is left of the project's `rate`  | when unused   |
| `cw:{tag}:stream:<stream>`               | stream | events, trimmed behind all groups     | never         |
| `cw:{tag}:dead`                          | stream | dead letters, each with its event     | never         |
| `cw:{tag}:ledger`                        | hash   | outcomes of commits, by stage         | never         |
| `cw:{tag}:life`                          | string | the partition's epoch, a random name  | never         |
| `cw:{tag}:partitions`                    | string | how many there are, once it was doubled | never       |
| `cw:{tag}:gen:<yyyymm>`                  | hash   | the newest generation of each bucket  | issues + 62 d |
| `cw:{tag}:part:<bucket>`                 | string | their generation, when it began       | 6 h, or 40 d  |
| `cw:{tag}:sizes:<yyyymm>`                | hash   | how many issues each project has      | 42 d          |
| `cw:{tag}:marks:<stage>:<window>`        | hash   | `slots` of each layer, `marks` in all | 1.5 once_for  |
| `cw:{tag}:marks:…:<layer>:<slot>`        | hash   | marks met in that window of time      | 1.5 once_for  |
| `cw:{tag}:tally:<bucket>:<issue>`        | hash   | an issue's counters of an hour, month | 6 h, or 40 d  |

Keys expire that long after their last change, or a little later; `part` after its first. `issues` is `retention.issues`.
The fields of `cw:door` are `refused:<reason>` and `client:<reason>`; those of `sizes` are `issues:<project>` and `values:<project>`.
"""  # noqa: E501 - a table

from __future__ import annotations

META = "cw:meta"
UNACCEPTED = "cw:door"
PREFIX = "cw:"

HOUR_TTL_S = 6 * 3600
"""Seconds until an issue's counters of an hour expire after their last change, at least.

A later event starts a new generation of them, so the counts stay exact: the key `part` has expired
before them.
"""

HOUR_SLACK_S = 3600
"""How much later they may expire: their end is moved at most so often."""

MONTH_TTL_S = 40 * 86_400
"""The same for an issue's counters of a month."""

MONTH_SLACK_S = 86_400

_PERMANENT = ("dead", "ledger", "life", "partitions")


def sender(name: str) -> str:
    """In one slot with what it is compared for: a script names both."""
    return f"{PREFIX}{{{UNACCEPTED}}}:{name}"


def bucket(project: str) -> str:
    return f"{PREFIX}rate:{project}"


def added(sender: str, tag: str = "") -> str:
    """Of one partition where `tag` is given, else of all."""
    return f"{PREFIX}{{{tag}}}:added:{sender}" if tag else f"{PREFIX}added:{sender}"


def stream(tag: str, name: str) -> str:
    return f"cw:{{{tag}}}:stream:{name}"


def dead(tag: str) -> str:
    return f"cw:{{{tag}}}:dead"


def ledger(tag: str) -> str:
    return f"cw:{{{tag}}}:ledger"


def epoch(tag: str) -> str:
    return f"cw:{{{tag}}}:life"


def fence(tag: str) -> str:
    """Where it is there, only a process that knows as many partitions may commit."""
    return f"cw:{{{tag}}}:partitions"


def generations(tag: str, month: str) -> str:
    return f"cw:{{{tag}}}:gen:{month}"


def generation(tag: str, bucket: str) -> str:
    return f"cw:{{{tag}}}:part:{bucket}"


def sizes(tag: str, month: str) -> str:
    return f"cw:{{{tag}}}:sizes:{month}"


def marks(tag: str, stage: str, window: int) -> str:
    return f"cw:{{{tag}}}:marks:{stage}:{window}"


def tally(tag: str, bucket: str, issue: str) -> str:
    return f"cw:{{{tag}}}:tally:{bucket}:{issue}"


def permanent(key: str) -> bool:
    """Whether `key` may be without a TTL."""
    if key in (META, UNACCEPTED):
        return True
    _, _, rest = key.partition("}:")
    return rest in _PERMANENT or rest.startswith("stream:")
