"""Releases and their deploys in MongoDB: for the command line and for sentry-cli."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymongo

from catchwater import mongo_client
from catchwater.issues import release_facts
from catchwater.issues.releases import Releases

if TYPE_CHECKING:
    from datetime import datetime

Document = dict[str, Any]
Json = dict[str, Any]

_NEWEST = [("first_seen", pymongo.DESCENDING)]


class ReleaseStore(mongo_client.Store):
    """Every method raises UnavailableError."""

    def mark(self, project: str, release: str, environment: str, at: datetime) -> None:
        """Remember that a release was deployed. Again in the same environment: the later time."""
        name = f"{release_facts.identity(project, release)}@{environment}"
        about = {"project": project, "release": release, "environment": environment}
        change = {"$max": {"at": at}, "$setOnInsert": about}
        with mongo_client.translated_errors(self._url):
            self._database.deploys.update_one({"_id": name}, change, upsert=True)

    def marked(self, release: str) -> list[str]:
        """The projects in which a release was deployed somewhere."""
        with mongo_client.translated_errors(self._url):
            found = self._database.deploys.find({"release": release}, {"project": True})
            return sorted({one["project"] for one in found})

    def newest(self, project: str) -> list[Json]:
        """The newest releases of one project, or of all for ''; the newest first."""
        return self._listed({"project": project} if project else {})

    def one(self, project: str, release: str) -> Json | None:
        """A release, its deploys, who was affected by what is new in it, and the one before."""
        found = self._listed({"_id": release_facts.identity(project, release)})
        if not found:
            return None
        known = {"project": project}
        with mongo_client.translated_errors(self._url):
            others = self._database.releases.find(known).sort(_NEWEST)
            seen = {
                one["release"]: one["first_seen"] for one in others.limit(release_facts.MOST_KNOWN)
            }
            ranks = self._database.issues.aggregate(release_facts.registers(project, release))
            affected = release_facts.users(ranks)
        return found[0] | {"users": affected, "previous": Releases(seen).before(release)}

    def _listed(self, wanted: Document) -> list[Json]:
        with mongo_client.translated_errors(self._url):
            found = list(
                self._database.releases.find(wanted).sort(_NEWEST).limit(release_facts.MOST)
            )
            projects = sorted({one["project"] for one in found})
            names = [one["release"] for one in found]
            new = self._database.issues.aggregate(release_facts.new_issues(projects, names))
            marks = {"project": {"$in": projects}, "release": {"$in": names}}
            deploys = list(self._database.deploys.find(marks).sort("at", pymongo.DESCENDING))
            return release_facts.listed(found, new, deploys)
