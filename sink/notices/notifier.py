"""The notifier: finds what is to be told in MongoDB, and tells it once.

The sink marks an issue `untold` in the same write that makes or reopens it. Here each mark becomes
a notice for each channel, before the mark goes; each notice is claimed before it is sent, and
marked as sent after. So whatever dies, every cause is told; twice only where the notifier died
between sending and marking.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from catchwater import metrics
from catchwater.errors import RefusedError, UnavailableError
from catchwater.instants import hour_of
from catchwater.issues import states
from catchwater.streams.counters import unescape_key
from sink.notices import messages
from sink.notices.channels import send
from sink.notices.spikes import is_spike
from sink.notices.store import of_cause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from catchwater.config.notices import Channel
    from catchwater.config.projects import Project
    from sink.notices.channels import Ways
    from sink.notices.messages import Message
    from sink.notices.store import NoticeStore

log = structlog.get_logger()

Document = dict[str, Any]

HISTORY = timedelta(days=14)
HOUR = timedelta(hours=1)
ONE_SPIKE = 6 * HOUR
"""A spike that comes again so soon is the same one."""

SPIKES_EVERY = timedelta(minutes=1)
MOST_TRIES = 10
"""Of a notice whose receiver is away: the last is some 17 hours after the first."""

_PENDING = ("new", "regression", "escalating")


class Notifier:
    """One turn after the other, by anybody's clock."""

    def __init__(
        self,
        store: NoticeStore,
        projects: Callable[[], Sequence[Project]],
        ways: Ways,
        dashboard_url: str = "",
    ) -> None:
        self._store = store
        self._projects = projects
        self._ways = ways
        self._url = dashboard_url.rstrip("/")
        self._since: dict[str, datetime] = {}
        self._spikes_at = datetime.min.replace(tzinfo=UTC)

    def turn(self, at: datetime) -> None:
        """Find and tell all that is to be told at `at`. Raises UnavailableError for MongoDB."""
        projects = [one for one in self._projects() if one.notices.channels]
        self._store.complete_groups(at)
        looks_for_spikes = at >= self._spikes_at
        if looks_for_spikes:
            self._store.forget_others([one.id for one in projects])
        for project in projects:
            self._find_untold(project, at)
            if looks_for_spikes:
                self._find_spikes(project, at)
                self._find_digest(project, at)
            if not project.notices.is_quiet(at):
                for channel in project.notices.channels:
                    self._tell(project, channel, at)
        if looks_for_spikes:
            self._spikes_at = at + SPIKES_EVERY

    def _find_untold(self, project: Project, at: datetime) -> None:
        if project.id not in self._since:
            self._since[project.id] = self._store.since(project.id, at)
        since = self._since[project.id]
        issues = self._store.untold(project.id)
        for issue in issues:
            for cause in _causes(issue, since):
                self._add(project, issue, cause, at)
        self._store.told(issues)

    def _find_spikes(self, project: Project, at: datetime) -> None:
        hour = hour_of(at)
        notices = project.notices
        for busy in self._store.busy_hours(project.id, hour):
            if _count(busy) < notices.spike_least:
                continue
            hours = series(self._store.hours(busy["issue"], hour - HISTORY), hour)
            issue = self._store.issue(busy["issue"])
            if issue is None or states.state_of(issue, at) != states.UNRESOLVED:
                continue
            rule = (notices.spike_factor, notices.spike_least)
            if is_spike(hours, *rule) and not is_spike(hours[:-1], *rule):
                self._add_spike(project, issue, hour, at)

    def _add_spike(self, project: Project, issue: Document, hour: datetime, at: datetime) -> None:
        last = self._store.last_at(issue["_id"], "spike")
        if last is None or last < hour - max(ONE_SPIKE, project.notices.cooldown):
            cause = {"id": f"spike:{issue['_id']}:{hour:%Y%m%d%H}", "kind": "spike", "at": hour}
            self._add(project, issue, cause, at)

    def _find_digest(self, project: Project, at: datetime) -> None:
        """Once a day; of a day without unresolved issues there is none."""
        if f"{at:%H:%M}" < project.notices.digest:
            return
        name = f"{project.id}:{at:%Y%m%d}"
        for channel in project.notices.channels:
            if "digest" in channel.kinds and self._store.unresolved(
                project.id, at, at - timedelta(days=1)
            ):
                cause = {"id": f"digest:{name}", "kind": "digest", "at": at - timedelta(days=1)}
                whole = {**cause, "project": project.id, "issue": f"{project.id}:"}
                self._store.add(of_cause(whole, [channel.id], at, at))

    def _add(self, project: Project, issue: Document, cause: Document, at: datetime) -> None:
        channels = [
            one.id for one in project.notices.channels if self._is_wanted(one, issue, cause["kind"])
        ]
        last = self._store.last_at(issue["_id"], cause["kind"]) if channels else None
        cooled = last + project.notices.cooldown if last and last < cause["at"] else at
        due = max(at + project.notices.gather, cooled)
        whole = {**cause, "project": project.id, "issue": issue["_id"]}
        self._store.add(of_cause(whole, channels, at, due))

    def _is_wanted(self, channel: Channel, issue: Document, kind: str) -> bool:
        if kind not in channel.kinds:
            return False
        if channel.levels and issue.get("level") not in channel.levels:
            return False
        if not (channel.environments or channel.tags):
            return True
        seen = tag_values(self._store.tags(issue["_id"]))
        environments = seen.get("environment", set())
        if channel.environments and not environments & set(channel.environments):
            return False
        return all(value in seen.get(name, ()) for name, value in channel.tags.items())

    def _tell(self, project: Project, channel: Channel, at: datetime) -> None:
        due = self._store.due(channel.id, at)
        room = channel.per_hour - (self._store.sent_since(channel.id, at - HOUR) if due else 0)
        fresh = [
            one for one in due if one["state"] == "waiting" and one["kind"] in (*_PENDING, "spike")
        ]
        if room > 0 and len(fresh) >= min(channel.group_from, room + 1):
            self._store.group(fresh, at)
            due = self._store.due(channel.id, at)
        for notice in due[: max(0, room)]:
            claimed = self._store.claim(notice, at)
            if claimed is not None:
                self._send(project, channel, claimed, at)

    def _send(self, project: Project, channel: Channel, claimed: Document, at: datetime) -> None:
        message = self._message(project, claimed, at)
        if message is None:
            self._store.finish(claimed, state="failed", why="the issue is not stored any more")
            return
        try:
            send(channel, message, self._ways)
        except RefusedError as error:
            self._failed(channel, claimed, str(error))
        except UnavailableError as error:
            self._again(channel, claimed, str(error), at)
        else:
            self._store.finish(claimed, state="sent", sent=at)
            metrics.NOTICES.labels(channel.to, "sent").inc()

    def _again(self, channel: Channel, claimed: Document, why: str, at: datetime) -> None:
        if claimed["tries"] >= MOST_TRIES:
            self._failed(channel, claimed, why)
            return
        due = at + timedelta(minutes=2 ** (claimed["tries"] - 1))
        self._store.finish(claimed, state="waiting", due=due, why=why)
        metrics.NOTICES.labels(channel.to, "retried").inc()

    def _failed(self, channel: Channel, claimed: Document, why: str) -> None:
        self._store.finish(claimed, state="failed", why=why)
        metrics.NOTICES.labels(channel.to, "failed").inc()
        log.error("a notice is not sent", notice=claimed["_id"], to=channel.to, why=why)

    def _message(self, project: Project, notice: Document, at: datetime) -> Message | None:
        if notice["kind"] == "many":
            told = self._store.grouped_in(notice)
            return messages.of_many(notice, told, project.name, self._url)
        if notice["kind"] == "digest":
            left = self._store.unresolved(project.id, at, notice["at"])
            told = [("digest", one) for one in left]
            return messages.of_many(notice, told, project.name, self._url)
        issue = self._store.issue(notice["issue"])
        if issue is None:
            return None
        sample = self._store.newest_sample(notice["issue"])
        return messages.of_issue(notice, issue, sample, project.name, self._url)


def _causes(issue: Document, since: datetime) -> list[Document]:
    """What the sink has marked, as causes; not what was before anybody wanted to be told."""
    marks: Mapping[str, Any] = issue["untold"]
    found = []
    if "new" in marks and issue["first_seen"] >= since:
        found.append({"id": f"new:{issue['_id']}", "kind": "new", "at": issue["first_seen"]})
    for kind, field in (("regression", "regressed"), ("escalating", "escalated")):
        if kind in marks and marks[kind] >= since:
            name = f"{kind}:{issue['_id']}:{marks[kind]:%Y%m%d%H%M%S%f}"
            release = issue.get(field, {}).get("release", "")
            found.append({"id": name, "kind": kind, "at": marks[kind], "release": release})
    return found


def series(documents: Sequence[Document], hour: datetime) -> list[int]:
    """Counts by the hour, from the first that there is to `hour`."""
    counts = {one["hour"]: _count(one) for one in documents}
    first = min(counts, default=hour)
    return [counts.get(first + n * HOUR, 0) for n in range(int((hour - first) / HOUR) + 1)]


def _count(hour: Document) -> int:
    return sum(sum(hour.get(name, {}).values()) for name in ("parts", "more"))


def tag_values(documents: Sequence[Document]) -> dict[str, set[str]]:
    """The values that an issue was seen with, by the names of tags."""
    found: dict[str, set[str]] = {}
    for document in documents:
        for name, values in document.get("values", {}).items():
            found.setdefault(unescape_key(name), set()).update(map(unescape_key, values))
    return found
