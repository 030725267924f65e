"""Takes private data out of MongoDB: of a user, of an issue, of a project.

Counters of issues and hours stay: they name nobody, and the audit compares them. Every step may be
done again, so an erasure that was cut short is simply begun anew.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from catchwater import mongo_client
from catchwater.issues.derived import derived
from catchwater.issues.samples import body_of
from catchwater.streams.counters import escape_key, unescape_key

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]

ERASED = "(erased)"
"""The type of an issue whose texts were erased."""

_PAGE = 500
"""Samples that are looked at in one step."""

_BLANK: Document = {"type": ERASED, "message": "", "culprit": "", "words": [], "facets": []}
_PRIVATE = ("u", "notes", "birth", "first_release")
"""Fields of an issue that say more than how often and when."""


class Eraser(mongo_client.Store):
    """What MongoDB holds. Every method raises UnavailableError."""

    def samples_of(self, user: str, project: str = "") -> int:
        """Remove the samples that name a user. Returns how many."""
        removed, last = 0, ""
        wanted = {"project": project} if project else {}
        while page := self._samples(wanted, last):
            named = [one["_id"] for one in page if names(body_of(one), user)]
            last = page[-1]["_id"]
            with mongo_client.translated_errors(self._url):
                found = self._database.samples.delete_many({"_id": {"$in": named}})
            removed += found.deleted_count
        return removed

    def _samples(self, wanted: Document, last: str) -> list[Document]:
        after = {**wanted, "_id": {"$gt": last}}
        with mongo_client.translated_errors(self._url):
            return list(self._database.samples.find(after).sort("_id", 1).limit(_PAGE))

    def tags_naming(self, user: str, project: str = "") -> Iterator[tuple[str, str, list[str]]]:
        """The tags one of whose values is that user: issue, month (`yyyymm`), names of tags."""
        key = escape_key(user)
        there = {"$ne": [{"$type": {"$getField": {"field": key, "input": "$$this.v"}}}, "missing"]}
        listed = {"$objectToArray": {"$ifNull": ["$values", {}]}}
        wanted: Document = {
            "$expr": {"$anyElementTrue": [{"$map": {"input": listed, "in": there}}]}
        }
        if project:
            wanted["_id"] = of_project(project)
        with mongo_client.translated_errors(self._url):
            for one in self._database.tags.find(wanted):
                tags = [
                    unescape_key(name) for name, counts in one["values"].items() if key in counts
                ]
                yield one["issue"], one["_id"].rpartition(":")[2], tags

    def untag(self, user: str, issue: str, month: str, tags: list[str]) -> None:
        """Remove that value of these tags, which an issue counts in a month."""
        fields = {f"values.{escape_key(name)}.{escape_key(user)}": "" for name in tags}
        with mongo_client.translated_errors(self._url):
            self._database.tags.update_one({"_id": f"{issue}:{month}"}, {"$unset": fields})

    def unfacet(self, user: str, project: str = "") -> None:
        """Remove the facets that are that user: they outlive the counts by month."""
        of_user = {"$regex": f"\t{re.escape(user.lower())}$"}
        wanted: Document = {"facets": of_user}
        if project:
            wanted["_id"] = of_project(project)
        with mongo_client.translated_errors(self._url):
            self._database.issues.update_many(wanted, {"$pull": {"facets": of_user}})

    def issue(self, issue: str) -> int:
        """Blank an issue, and remove its tags and samples. Returns how many samples."""
        return self._blank({"_id": issue}, {"issue": issue})

    def project(self, project: str) -> int:
        """Blank every issue of a project; remove its tags, samples, and names of releases."""
        removed = self._blank({"_id": of_project(project)}, {"issue": of_project(project)})
        with mongo_client.translated_errors(self._url):
            self._database.releases.delete_many({"project": project})
        return removed

    def issues_of(self, project: str) -> list[str]:
        """The ids of a project's issues."""
        with mongo_client.translated_errors(self._url):
            found = self._database.issues.find({"_id": of_project(project)}, {"_id": 1})
            return [one["_id"] for one in found]

    def _blank(self, issues: Document, of_issues: Document) -> int:
        changes = {"$set": _BLANK, "$unset": dict.fromkeys(_PRIVATE, "")}
        with mongo_client.translated_errors(self._url):
            removed = self._database.samples.delete_many(of_issues)
            self._database.tags.delete_many(of_issues)
            self._database.issues.update_many(issues, changes)
            self._database.issues.update_many(issues, derived())
        return removed.deleted_count


def names(event: Any, user: str) -> bool:
    """Whether an event names a user: by id, e-mail, name or address, or by the value of a tag.

    Any JSON, as a page sent it or as it is stored. Pure.
    """
    if not isinstance(event, dict):
        return False
    return user in map(str, (*_values(event.get("user")), *_values(event.get("tags"))))


def _values(found: Any) -> list[Any]:
    """The values of an object, or of a list of pairs, as Sentry's clients may send tags."""
    if isinstance(found, dict):
        return list(found.values())
    pairs = found if isinstance(found, list) else []
    return [one[1] for one in pairs if isinstance(one, list) and len(one) == 2]


def of_project(project: str) -> Document:
    """Ids that begin with a project: `;` is what comes after `:`."""
    return {"$gte": f"{project}:", "$lt": f"{project};"}
