"""Issues in MongoDB that an older version of grouping made: read only while there is more than
one version.

An error that an older version has grouped stays in that issue, whose document then has the newer
name, too: no issue is split in two. Where the newer version brings two issues together, the one
that was seen first goes on and the other one ends; where it would tell two errors of one issue
apart, they stay together until that issue expires.

This holds while no process names by the older version alone any more, and what those named has
reached MongoDB: so stop all of them, wait for an empty pipeline, then start the newer ones. `raw`
waits meanwhile.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from catchwater import mongo_client

if TYPE_CHECKING:
    from collections.abc import Sequence

_REMEMBERED = 50_000  # answers, some 300 bytes each


class ExistingIssues:
    """The ids that issues have. An answer is remembered for good: an issue's id never changes."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = mongo_client.connect(url)
        self._issues = self._client[mongo_client.DATABASE].issues
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._asked)

    def id_of(self, names: Sequence[str]) -> str:
        """The id of the issue that has one of these names, `<project>:<fingerprint>`, oldest
        version first; the newest name for an issue that there is not yet. Raises
        UnavailableError while MongoDB is away.
        """
        return self._remembered(tuple(names))

    def close(self) -> None:
        self._client.close()

    def _asked(self, names: tuple[str, ...]) -> str:
        either = [{"_id": {"$in": names}}, {"names": {"$in": names}}]
        with mongo_client.translated_errors(self._url, ", and it knows which issues there are"):
            found = list(self._issues.find({"$or": either}, {"names": 1, "first_seen": 1}))
        if not found:
            return names[-1]
        return str(min(found, key=lambda issue: _rank(issue, names))["_id"])


def _rank(issue: dict[str, Any], names: Sequence[str]) -> tuple[int, float, str]:
    """An issue that has the newest name comes first, then the one that was seen first."""
    own = {issue["_id"], *issue.get("names", ())}
    newest = max(at for at, name in enumerate(names) if name in own)
    seen = issue.get("first_seen")
    return -newest, seen.timestamp() if seen else 0.0, issue["_id"]
