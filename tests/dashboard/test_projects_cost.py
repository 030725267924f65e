"""What the list of projects reads of the issues: an index, and no issue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sink.indexes import INDEXES
from tests.dashboard import documents as made

if TYPE_CHECKING:
    from pymongo.database import Database

    from tests.dashboard.conftest import Site


def test_projects_are_counted_without_a_look_at_one_issue(
    site: Site, mongo: Database[dict[str, Any]]
):
    for name, fields in INDEXES:
        mongo[name].create_index(fields)
    mongo.issues.insert_many([made.issue(f"f{n}", project=str(n % 3 + 1)) for n in range(30)])
    mongo.command("profile", 2)
    try:
        found = site.get("/api/projects").json
    finally:
        mongo.command("profile", 0)
    assert {one["project"]: one["issues"] for one in found} == {"1": 10, "2": 10, "3": 10}
    of_issues = mongo["system.profile"].find({"command.aggregate": "issues"})
    counting = [one for one in of_issues if "$project" in str(one["command"]["pipeline"])]
    assert [one["docsExamined"] for one in counting] == [0]
