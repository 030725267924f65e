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
from catchwater.streams.loop import Loop
from sink.work import store_in
from sink.writer import MongoWriter
from tests.servers.replica_set import started
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def replica_set(tmp_path_factory):
    with started(tmp_path_factory.mktemp("set")) as one:
        yield one


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
