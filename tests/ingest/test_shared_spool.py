"""Several ingest processes on one folder: one's trouble is not the other's."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing, suppress

import pytest

from catchwater.errors import SpoolFullError
from ingest.draining import SpoolDrain
from ingest.spool import Spool
from tests.ingest.recorder import Recorder, big_events, events


@pytest.fixture
def two(tmp_path):
    with closing(Spool(tmp_path, 10_000_000)) as one, closing(Spool(tmp_path, 10_000_000)) as other:
        yield one, other


def ids(folder) -> set[str]:
    """Of all events in the spool and in files that were moved aside."""
    found = set()
    for file in [folder / "spool.sqlite", *folder.glob("damaged-*/spool.sqlite")]:
        with closing(sqlite3.connect(file)) as database, suppress(sqlite3.DatabaseError):
            found |= {id_ for (id_,) in database.execute("SELECT id FROM events")}
    return found


def test_a_spool_that_another_process_has_drained_is_known_to_be_empty(two):
    """The busiest project of the one that had filled it was refused for ever."""
    one, other = two
    fill(one)
    producer = Recorder()
    asyncio.run(SpoolDrain(producer, other).drain())
    asyncio.run(SpoolDrain(producer, one).drain())
    assert (one.fill() < 0.1, one.depth()) == (True, 0)


def test_while_another_drains_it_the_fill_is_known_too(two):
    one, other = two
    fill(one)
    assert other.lock_drain()
    while page := other.page():
        other.mark_added(page)
    other.delete_added()
    asyncio.run(SpoolDrain(Recorder(), one).drain())
    assert one.fill() < 0.1
    other.unlock_drain()


def fill(spool: Spool) -> None:
    spool.put(big_events(180))
    spool.put(events(1000))
    assert spool.fill() > 0.8


def test_damage_that_is_noticed_late_does_not_move_a_new_file_aside(two, tmp_path):
    """Accepted events stood in a healthy file that was set aside, and nobody ever drained them."""
    one, other = two
    one.put(events(1))
    other.put(events(2))
    damaged = other._inode
    one._set_file_aside(sqlite3.DatabaseError("malformed"), damaged)
    one.put(events(3))
    other._set_file_aside(sqlite3.DatabaseError("malformed"), damaged)
    other.put(events(4))
    assert [one.id for one in other.page().events] == [one.id for one in events(3, 4)]
    assert len(list(tmp_path.glob("damaged-*"))) == 1


def test_two_damages_in_one_second_are_two_folders(two, tmp_path):
    """The second took the place of the first, whose events were gone."""
    one, _ = two
    for number in (1, 2, 3):
        one.put(events(number))
        one._set_file_aside(sqlite3.DatabaseError("malformed"), one._inode)
    assert len(list(tmp_path.glob("damaged-*/spool.sqlite"))) == 3
    one.put(events(4))
    assert ids(tmp_path) == {event.id for event in events(1, 2, 3, 4)}


def test_what_is_put_while_another_process_moves_the_file_aside_is_in_the_new_one(two, tmp_path):
    one, other = two
    stop, put = threading.Event(), []

    def puts() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with suppress(SpoolFullError):
                one.put(events(number))
                put.append(events(number)[0].id)

    thread = threading.Thread(target=puts)
    thread.start()
    for _ in range(20):
        before = len(put)
        while len(put) < before + 5:
            pass
        with suppress(SpoolFullError), other._opened():
            raise damage(tmp_path)
    stop.set()
    thread.join()
    one.put(events(10**6))
    assert ids(tmp_path) >= set(put)
    assert events(10**6)[0].id in {event.id for event in other.page().events}


def damage(folder) -> sqlite3.Error:
    (junk := folder / "junk").write_bytes(b"no database" * 100)
    with closing(sqlite3.connect(junk)) as database:
        try:
            database.execute("SELECT 1 FROM events")
        except sqlite3.DatabaseError as error:
            return error
    raise AssertionError
