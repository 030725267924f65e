from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from catchwater.config.projects import Project
from sink.notices.channels import Ways
from sink.notices.notifier import Notifier
from sink.notices.store import NoticeStore
from tests.issues.conftest import NOW, database, seen
from tests.notices.receiver import Receiver, receiving

__all__ = ["database", "seen"]

KEY = "0123456789abcdef0123456789abcdef"
LEASE = timedelta(seconds=60)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@dataclass
class People:
    """A notifier, and what its project wants to be told. It lives by the test's clock."""

    store: NoticeStore
    database: Database[dict[str, Any]]
    url: str
    channel: dict[str, Any] = field(default_factory=dict)
    notices: dict[str, Any] = field(default_factory=lambda: {"gather": "0s", "cooldown": "0s"})

    @property
    def project(self) -> Project:
        hook = {"to": "webhook", "url": self.url, "kinds": ["new", "regression", "escalating"]}
        notices = {"channels": [hook | self.channel], **self.notices}
        return Project.model_validate(
            {"id": "1", "name": "Tea shop", "key": KEY, "notices": notices}
        )

    def turn(self, after: timedelta = timedelta(0), notifier: Notifier | None = None) -> None:
        (notifier or self.notifier()).turn(NOW + after)

    def notifier(self) -> Notifier:
        return Notifier(
            self.store, lambda: [self.project], Ways(private=True), "https://errors.example/"
        )

    def begin(self, since: datetime = NOW - timedelta(days=30)) -> None:
        self.store.prepare()
        self.store.since("1", since)

    def states(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in self.database.notices.find():
            found[one["state"]] = found.get(one["state"], 0) + 1
        return found


@pytest.fixture
def people(
    database: Database[dict[str, Any]],
    mongo_url: str,
    receiver: Receiver,
) -> Iterator[People]:
    store = NoticeStore(mongo_url, LEASE)
    one = People(store, database, receiver.url)
    one.begin()
    yield one
    store.close()
