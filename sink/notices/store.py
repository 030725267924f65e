"""Notices in MongoDB: one document for each cause and channel, claimed before it is sent.

`_id` is `<cause>@<channel>`, so a cause that is found twice is one notice. `state` goes from
`waiting` to `sending` (claimed until `lease`) to `sent` or `failed`; or by `grouping` to `grouped`,
when one notice of many takes its place: that one is made of those, so it cannot be lost.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pymongo
from pymongo.errors import BulkWriteError

from catchwater import mongo_client
from catchwater.issues import search
from catchwater.issues.shown import SHOWN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

Document = dict[str, Any]

STORED = timedelta(days=90)
AT_ONCE = 500
"""Issues, or notices, that one turn looks at."""

_INDEXES = [
    [("state", 1), ("channel", 1), ("due", 1)],
    [("channel", 1), ("sent", -1)],
    [("issue", 1), ("kind", 1), ("at", -1)],
    [("in", 1)],
]


class NoticeStore(mongo_client.Store):
    """Every method raises UnavailableError."""

    def __init__(self, url: str, lease: timedelta) -> None:
        """`lease` is how long a claimed notice is nobody else's: longer than sending takes."""
        super().__init__(url)
        self._lease = lease
        self._notices = self._database.notices

    def prepare(self) -> None:
        with mongo_client.translated_errors(self._url):
            for fields in _INDEXES:
                self._notices.create_index(fields)
            mongo_client.expire_after(self._database, "notices", "created", STORED)

    def since(self, project: str, at: datetime) -> datetime:
        """Since when a project's issues are told: since somebody first wanted to be."""
        with mongo_client.translated_errors(self._url):
            self._database.notice_projects.update_one(
                {"_id": project}, {"$setOnInsert": {"since": at}}, upsert=True
            )
            found = self._database.notice_projects.find_one({"_id": project})
        assert found is not None, "it was written just now, and is never deleted"
        since: datetime = found["since"]
        return since

    def untold(self, project: str) -> list[Document]:
        """Issues of which something is to be told."""
        wanted = {"project": project, "untold": {"$exists": True}}
        with mongo_client.translated_errors(self._url):
            return list(self._database.issues.find(wanted, SHOWN).limit(AT_ONCE))

    def told(self, issues: Sequence[Document]) -> None:
        """Their notices are written. What has come up since then stays untold."""
        changes = [
            pymongo.UpdateOne(
                {"_id": one["_id"], "untold": one["untold"]}, {"$unset": {"untold": ""}}
            )
            for one in issues
        ]
        if changes:
            with mongo_client.translated_errors(self._url):
                self._database.issues.bulk_write(changes, ordered=False)

    def forget_others(self, projects: Collection[str]) -> None:
        """Nobody wants to be told of the issues of other projects."""
        wanted = {"project": {"$nin": list(projects)}, "untold": {"$exists": True}}
        with mongo_client.translated_errors(self._url):
            self._database.issues.update_many(wanted, {"$unset": {"untold": ""}})

    def add(self, notices: Sequence[Document]) -> None:
        """Those that there are already stay as they are."""
        if not notices:
            return
        with mongo_client.translated_errors(self._url):
            try:
                self._notices.insert_many(notices, ordered=False)
            except BulkWriteError as error:
                if any(one["code"] != 11000 for one in error.details["writeErrors"]):
                    raise

    def last_at(self, issue: str, kind: str) -> datetime | None:
        """When the last cause of this kind was, of an issue."""
        with mongo_client.translated_errors(self._url):
            found = self._notices.find_one({"issue": issue, "kind": kind}, sort=[("at", -1)])
        return found["at"] if found else None

    def due(self, channel: str, at: datetime) -> list[Document]:
        """What of a channel waits for nothing, or was left by a dead notifier, oldest first."""
        waiting = {"state": "waiting", "channel": channel, "due": {"$lte": at}}
        left = {"state": "sending", "channel": channel, "lease": {"$lte": at}}
        with mongo_client.translated_errors(self._url):
            found = self._notices.find({"$or": [waiting, left]}).sort("at", 1)
            return list(found.limit(AT_ONCE))

    def claim(self, notice: Document, at: datetime) -> Document | None:
        """The notice as this notifier's own; None when another one was faster."""
        same = {"_id": notice["_id"], "state": notice["state"], "lease": notice.get("lease")}
        change = {
            "$set": {
                "state": "sending",
                "lease": at + self._lease,
                "claim": uuid.uuid4().hex,
                "tries": notice.get("tries", 0) + 1,
            }
        }
        with mongo_client.translated_errors(self._url):
            after = pymongo.ReturnDocument.AFTER
            return self._notices.find_one_and_update(same, change, return_document=after)

    def finish(self, claimed: Document, **fields: Any) -> None:
        """`fields` say what has become of a notice, unless it is somebody else's by now."""
        with mongo_client.translated_errors(self._url):
            self._notices.update_one(
                {"_id": claimed["_id"], "claim": claimed["claim"]},
                {"$set": fields, "$unset": {"lease": "", "claim": ""}},
            )

    def group(self, notices: Sequence[Document], at: datetime) -> None:
        """Tell these as one. Is it cut short, then `complete_groups` goes on."""
        name = f"many:{uuid.uuid4().hex}"
        wanted = {"_id": {"$in": [one["_id"] for one in notices]}, "state": "waiting"}
        with mongo_client.translated_errors(self._url):
            self._notices.update_many(wanted, {"$set": {"state": "grouping", "in": name}})
        self.complete_groups(at)

    def complete_groups(self, at: datetime) -> None:
        """Write the notice of many for each group that has none yet."""
        with mongo_client.translated_errors(self._url):
            for name in self._notices.distinct("in", {"state": "grouping"}):
                first = self._notices.find_one({"in": name}, sort=[("at", 1)])
                assert first is not None
                fields = {key: first[key] for key in ("project", "channel", "at")}
                whole = {**fields, "kind": "many", "state": "waiting", "due": at, "created": at}
                self._notices.update_one({"_id": name}, {"$setOnInsert": whole}, upsert=True)
                self._notices.update_many({"in": name}, {"$set": {"state": "grouped"}})

    def grouped_in(self, notice: Document) -> list[tuple[str, Document]]:
        """The kind and the issue of each notice that one of many takes the place of."""
        with mongo_client.translated_errors(self._url):
            found = list(self._notices.find({"in": notice["_id"]}).sort("at", 1))
            ids = [one["issue"] for one in found]
            issues = {
                one["_id"]: one for one in self._database.issues.find({"_id": {"$in": ids}}, SHOWN)
            }
        return [(one["kind"], issues.get(one["issue"], {"_id": one["issue"]})) for one in found]

    def sent_since(self, channel: str, since: datetime) -> int:
        with mongo_client.translated_errors(self._url):
            return self._notices.count_documents({"channel": channel, "sent": {"$gte": since}})

    def issue(self, issue: str) -> Document | None:
        with mongo_client.translated_errors(self._url):
            return self._database.issues.find_one({"_id": issue}, SHOWN)

    def newest_sample(self, issue: str) -> Document | None:
        with mongo_client.translated_errors(self._url):
            return self._database.samples.find_one({"issue": issue}, sort=[("received", -1)])

    def tags(self, issue: str) -> list[Document]:
        with mongo_client.translated_errors(self._url):
            return list(self._database.tags.find({"issue": issue}))

    def busy_hours(self, project: str, hour: datetime) -> list[Document]:
        """What happened in an hour, by issue."""
        with mongo_client.translated_errors(self._url):
            return list(self._database.hours.find({"project": project, "hour": hour}))

    def hours(self, issue: str, since: datetime) -> list[Document]:
        with mongo_client.translated_errors(self._url):
            return list(self._database.hours.find({"issue": issue, "hour": {"$gte": since}}))

    def unresolved(self, project: str, at: datetime, since: datetime) -> list[Document]:
        """The unresolved issues of a project that were seen since then, most events first."""
        conditions = [
            search.of_state("unresolved", at),
            {"project": project, "last_seen": {"$gte": since}},
        ]
        with mongo_client.translated_errors(self._url):
            found = self._database.issues.find({"$and": conditions}, SHOWN)
            return list(found.sort("count", -1).limit(AT_ONCE))


def of_cause(
    cause: Document, channels: Iterable[str], at: datetime, due: datetime
) -> list[Document]:
    """A notice for each channel. `cause` has id, project, kind, issue and `at`, its own time."""
    return [
        {
            **{name: value for name, value in cause.items() if name != "id"},
            "_id": f"{cause['id']}@{channel}",
            "channel": channel,
            "state": "waiting",
            "created": at,
            "due": due,
        }
        for channel in channels
    ]
