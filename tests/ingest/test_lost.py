"""A Redis that comes back without its last writes: the audit names what was lost, to the digit."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from contextlib import closing

import pytest

from catchwater.monitoring import snapshot
from catchwater.redis_client import Connection
from ingest.confirmed import MOST, ConfirmedCounts
from tests.ingest.conftest import KEY, made
from tests.waiting import wait_until

E = f"/e/{KEY}"


def lost(ingest) -> int:
    connection = Connection(ingest.redis_url)
    try:
        return snapshot.take(connection, ingest.defs).lost_by_redis
    finally:
        connection.close()


def post(ingest, events: int) -> None:
    for _ in range(events):
        assert ingest.post(E, '[{"message":"a"},{"message":"b"}]').status == 204


@pytest.mark.parametrize("after", [0, 3, 40], ids=["no", "few", "many"])
def test_the_audit_names_what_redis_lost_while_ingest_lived_on(own_redis, tmp_path, after):
    """[20 events, COPY, 30 events, FALL BACK to the copy, more events]"""
    (tmp_path / "ingest").mkdir()
    with made(own_redis.url, tmp_path / "ingest") as ingest:
        post(ingest, 10)
        own_redis.kill()
        shutil.copytree(own_redis.data, tmp_path / "copy")
        own_redis.start()
        post(ingest, 15)
        wait_until(lambda: len(ingest.events()) == 50, "what was spooled is in Redis, too")
        fall_back(own_redis, tmp_path / "copy")
        post(ingest, after)
        wait_until(lambda: lost(ingest) > 0, "the loss is told")
        wait_until(lambda: len(ingest.events()) == 20 + 2 * after, "all others are in Redis")
        assert lost(ingest) == 30
        assert ingest.metric("catchwater_lost_by_redis_total") == 30


def test_a_redis_that_was_only_killed_has_lost_nothing(own_redis, tmp_path):
    (tmp_path / "ingest").mkdir()
    with made(own_redis.url, tmp_path / "ingest") as ingest:
        for _ in range(2):
            post(ingest, 5)
            own_redis.kill()
            post(ingest, 1)
            own_redis.start()
        wait_until(lambda: len(ingest.events()) >= 24, "everything is in Redis")
        post(ingest, 1)
        assert lost(ingest) == 0
        assert ingest.metric("catchwater_lost_by_redis_total") == 0


def confirmed(folder) -> int:
    """What the files say that Redis has confirmed, in all."""
    return sum(
        sum(json.loads(path.read_bytes() or b"{}").values())
        for path in (folder / "spool/confirmed").iterdir()
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
@pytest.mark.parametrize("back", ["before", "after"])
def test_what_redis_lost_is_named_where_the_ingest_that_knew_has_ended(
    own_redis, tmp_path, how, back
):
    """[20 events, COPY, 30 events, END of ingest, FALL BACK], and the next ingest starts before or
    after the fall-back.
    """
    (folder := tmp_path / "ingest").mkdir()
    with made(own_redis.url, folder) as ingest:
        post(ingest, 10)
        own_redis.kill()
        shutil.copytree(own_redis.data, tmp_path / "copy")
        own_redis.start()
        post(ingest, 15)
        wait_until(lambda: confirmed(folder) == 50, "the disk knows what Redis has confirmed")
        ingest.stop(how)
        if back == "before":
            fall_back(own_redis, tmp_path / "copy")
            ingest.start()
        else:
            ingest.start()
            fall_back(own_redis, tmp_path / "copy")
        wait_until(lambda: lost(ingest) > 0, "the loss is told")
        post(ingest, 1)
        wait_until(lambda: confirmed(folder) == 22, "it is told once")
        assert lost(ingest) == 30


def fall_back(redis, copy) -> None:
    redis.kill()
    shutil.rmtree(redis.data)
    shutil.copytree(copy, redis.data)
    redis.start()


class Known:
    """A Redis that has lost 2 events of process 7, and nothing else."""

    async def added_by(self, senders):
        return [8 if sender == "7" else 10 for sender in senders]


def ended(folder, processes):
    for number in range(processes):
        one = ConfirmedCounts(folder, str(number))
        one.save(10)
        one.close()


def test_a_loss_is_told_once_by_whichever_process_inherits_what_the_ended_one_knew(tmp_path):
    ended(tmp_path, 50)
    first, second = ConfirmedCounts(tmp_path, "first"), ConfirmedCounts(tmp_path, "second")
    told = []
    for one in (first, second, first, "first ends", second):
        if one == "first ends":
            first.close()
        else:
            told.append(asyncio.run(one.lost(Known())))
            one.save(0)  # as ingest does after each look
    second.close()
    assert told == [2, 0, 0, 0]
    assert [path.name for path in (tmp_path / "confirmed").iterdir()] == ["second"]


def test_what_is_remembered_of_ended_processes_is_bounded(tmp_path):
    """And costs one open file, not one each: a soak showed that."""
    ended(tmp_path, 2 * MOST)
    with closing(ConfirmedCounts(tmp_path, "living")) as living:
        asyncio.run(living.lost(Known()))
        (file,) = (tmp_path / "confirmed").iterdir()
        assert len(json.loads(file.read_bytes())) == MOST


def test_a_file_that_is_only_being_made_is_nobodys_to_inherit(tmp_path):
    """Between its creation and its lock another process took it, and a loss was never told."""
    with closing(ConfirmedCounts(tmp_path, "living")) as living:
        (new := tmp_path / "confirmed/.new").touch()
        asyncio.run(living.lost(Known()))
        assert new.exists()
        assert [path.name for path in new.parent.iterdir() if path != new] == ["living"]
