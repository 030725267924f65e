"""What MongoDB holds of a user, an issue or a project, a document at a time, in a fixed order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catchwater import mongo_client
from catchwater.issues.erasing import names, of_project
from catchwater.issues.samples import body_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]
Place = tuple[str, str]
"""A collection, and an `_id` in it."""

COLLECTIONS = ("issues", "hours", "days", "tags", "releases", "samples")
"""In the order in which they are exported, each by `_id`."""


class Exporter(mongo_client.Store):
    """Every method raises UnavailableError."""

    def of_user(self, user: str, project: str, after: Place) -> Iterator[tuple[str, Document]]:
        """The samples that name a user."""
        wanted = {"project": project} if project else {}
        for name, one in self._after({"samples": wanted}, after):
            if names(body_of(one), user):
                yield name, one

    def of_issue(self, issue: str, after: Place) -> Iterator[tuple[str, Document]]:
        """Everything of an issue."""
        own: Document = {"_id": issue}
        of_it: Document = {"issue": issue}
        wanted = {"issues": own, **dict.fromkeys(("hours", "days", "tags", "samples"), of_it)}
        yield from self._after(wanted, after)

    def of_project(self, project: str, after: Place) -> Iterator[tuple[str, Document]]:
        """Everything of a project."""
        of_it: Document = {"issue": of_project(project)}
        known: Document = {"project": project}
        own: Document = {"_id": of_project(project)}
        wanted = {
            "issues": own,
            **dict.fromkeys(("hours", "days", "tags"), of_it),
            "releases": known,
            "samples": known,
        }
        yield from self._after(wanted, after)

    def _after(self, wanted: dict[str, Document], after: Place) -> Iterator[tuple[str, Document]]:
        """What comes after a place, which may be ('', '')."""
        begun = COLLECTIONS.index(after[0]) if after[0] else 0
        for name in COLLECTIONS[begun:]:
            if name not in wanted:
                continue
            later = {"_id": {"$gt": after[1]}} if name == after[0] else {}
            selection = {"$and": [wanted[name], later]}
            with mongo_client.translated_errors(self._url):
                for one in self._database[name].find(selection).sort("_id", 1):
                    yield name, one
