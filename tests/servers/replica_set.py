"""A MongoDB replica set of three members."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress

import pymongo
from pymongo.errors import PyMongoError

from catchwater.local.servers import MongoServer
from tests.waiting import wait_until

SET = "rs0"


class Member(MongoServer):
    def command(self):
        return [*super().command(), "--replSet", SET]

    def answers(self):
        """It takes no writes before the set is initiated."""
        try:
            with pymongo.MongoClient(
                self.url, directConnection=True, serverSelectionTimeoutMS=500
            ) as client:
                return bool(client.admin.command("ping"))
        except PyMongoError:
            return False


class ReplicaSet:
    def __init__(self, members):
        self.members = {member.port: member for member in members}
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.members)
        self.url = f"mongodb://{hosts}/?replicaSet={SET}"
        with pymongo.MongoClient(members[0].url, directConnection=True) as client:
            configuration = {
                "_id": SET,
                "settings": {"electionTimeoutMillis": 1500, "heartbeatIntervalMillis": 500},
                "members": [
                    {"_id": n, "host": f"127.0.0.1:{port}"} for n, port in enumerate(self.members)
                ],
            }
            client.admin.command("replSetInitiate", configuration)
        wait_until(self.primary, "a primary is elected", 60)

    def primary(self):
        """The member that is the primary now; None while there is none."""
        with suppress(PyMongoError), self.client() as client:
            me = client.admin.command("hello")["me"]
            return self.members.get(int(me.rpartition(":")[2]))
        return None

    def client(self):
        return pymongo.MongoClient(self.url, serverSelectionTimeoutMS=1000, socketTimeoutMS=3000)

    def counted(self):
        with suppress(PyMongoError), self.client() as client:
            issue = client.catchwater.issues.find_one({"_id": "1:v1:a"}) or {}
            return issue.get("count", 0)
        return -1


@contextmanager
def started(folder):
    members = [Member(folder / str(n)) for n in range(3)]
    with ExitStack() as running:
        for member in members:
            member.start()
            running.callback(member.kill)
        yield ReplicaSet(members)
