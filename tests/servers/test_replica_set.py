"""A MongoDB replica set whose primary steps down, is killed or frozen: counts stay exact."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

import pymongo
import pytest
from pymongo.errors import PyMongoError

from catchwater.answers import Emit, Tally
from catchwater.local.servers import MongoServer
from catchwater.streams.loop import Loop
from sink.work import store_in
from sink.writer import MongoWriter
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


@pytest.fixture(scope="module")
def replica_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    members = [Member(folder / str(n)) for n in range(3)]
    with ExitStack() as running:
        for member in members:
            member.start()
            running.callback(member.kill)
        yield ReplicaSet(members)


def step_down(replica_set):
    with suppress(PyMongoError), replica_set.client() as client:
        client.admin.command("replSetStepDown", 5, secondaryCatchUpPeriodSecs=2)
    return lambda: None


def kill(replica_set):
    member = replica_set.primary()
    member.kill()
    return member.start


def freeze(replica_set):
    pid = replica_set.primary().pid
    os.kill(pid, signal.SIGSTOP)
    return lambda: os.kill(pid, signal.SIGCONT)


@contextmanager
def sinking(pipeline, url):
    writer, stopping = MongoWriter(url, pipeline.defs.retention), threading.Event()
    loop = Loop(pipeline.consumer("sink"), partial(store_in, writer), stopping, writer.prepare)
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        writer.close()


def passing(events):
    return [Emit(event) for event in events]


def counting(events):
    return [Emit(event, tally=Tally("1:v1:a")) for event in events]


@pytest.mark.chaos
@pytest.mark.timeout(240)
@pytest.mark.parametrize("trouble", [step_down, kill, freeze])
def test_counts_stay_exact_while_the_primary_changes(pipeline, event, replica_set, trouble):
    with pymongo.MongoClient(replica_set.url) as client:
        client.drop_database("catchwater")
    with ExitStack() as running:
        for stage, work in (("name", passing), ("dedupe", passing), ("count", counting)):
            running.enter_context(pipeline.loop(stage, work))
        running.enter_context(sinking(pipeline, replica_set.url))
        pipeline.add("raw", *[event(n) for n in range(100)])
        wait_until(lambda: replica_set.counted() > 0, "the sink has begun", 60)
        mend = trouble(replica_set)
        pipeline.add("raw", *[event(n) for n in range(100, 300)])
        wait_until(lambda: replica_set.counted() == 300, "all are counted, once", 90)
        mend()
        pipeline.add("raw", *[event(n) for n in range(300, 320)])
        wait_until(lambda: replica_set.counted() == 320, "it goes on", 60)
