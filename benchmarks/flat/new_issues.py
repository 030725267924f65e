"""How fast one sink writes issues that nobody has seen before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from benchmarks.report import Figure
from catchwater.mongo_client import DATABASE

if TYPE_CHECKING:
    from pymongo.collection import Collection

    from benchmarks.in_process import InProcess

WRITTEN = ("tags", "hours", "issues", "samples")
"""Collections that have a document for each new issue."""

PLAIN = "plain"
AT_ONCE = 1_000
MARK = 4_000


def new_issues_figure(path: InProcess, issues: int, seconds: float) -> Figure:
    """Issues a second, of one event each, that the sink wrote in so many seconds; against a loop
    that inserts the same documents, read back, into collections that have the same indexes.
    """
    reference = _plain_s(path, min(issues, 10 * AT_ONCE)) / min(issues, 10 * AT_ONCE)
    name = f"the sink, of {issues:,} new issues"
    return Figure(name, "issues/s", [issues / seconds], [1 / reference], MARK)


def _plain_s(path: InProcess, count: int) -> float:
    """Seconds for so many of each."""
    path.client.drop_database(PLAIN)
    try:
        return sum(_inserted_s(path.client[DATABASE][one], count) for one in WRITTEN)
    finally:
        path.client.drop_database(PLAIN)


def _inserted_s(source: Collection[dict[str, Any]], count: int) -> float:
    target = source.database.client[PLAIN][source.name]
    for name, index in source.index_information().items():
        if name != "_id_":
            target.create_index(**_as_made(name, index))
    documents = list(source.find().limit(count))
    began = time.perf_counter()
    for first in range(0, len(documents), AT_ONCE):
        target.insert_many(documents[first : first + AT_ONCE], ordered=False)
    return time.perf_counter() - began


def _as_made(name: str, index: Any) -> dict[str, Any]:
    options = {key: value for key, value in index.items() if key not in {"v", "key", "ns"}}
    return {"keys": index["key"], "name": name, **options}
