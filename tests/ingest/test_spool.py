"""The spool and its draining, without a server: nothing is added again and again."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import contextmanager, suppress

import pytest

from catchwater.errors import (
    NotReplicatedError,
    SpoolFullError,
)
from ingest.draining import SpoolDrain
from ingest.spool import DELETED_AT_ONCE, Spool
from tests.ingest.recorder import Recorder, big_events, events


def full_disk(spool):
    """From now on the file can grow no further, not even to delete rows."""
    spool._reserve.unlink(missing_ok=True)
    spool._database.execute(
        "CREATE TRIGGER full BEFORE DELETE ON events "
        "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    )


def room_again(spool):
    spool._database.execute("DROP TRIGGER full")


def test_what_was_added_is_not_added_again_while_its_rows_cannot_be_deleted(spool):
    """A spool on a full disk added its first 500 events again and again, 48,000 in a minute."""
    spool.put(events(*range(1200)))
    full_disk(spool)

    async def run():
        producer = Recorder()
        drain = SpoolDrain(producer, spool)
        for _ in range(5):
            with pytest.raises(SpoolFullError):
                await drain.drain()
        added, waiting = list(producer.added), spool.depth()
        spool.put(events(5000))
        room_again(spool)
        await drain.drain()
        return added, waiting, producer.added

    added, waiting, in_the_end = asyncio.run(run())
    assert added == [one.id for one in events(*range(1200))], "each once, and every page"
    assert waiting == 0
    assert in_the_end == [one.id for one in events(*range(1200), 5000)]
    assert spool.depth() == 0


def test_the_reserve_makes_room_for_deleting(spool, monkeypatch):
    spool.put(events(1))
    assert spool._reserve.exists()
    spool.mark_added(spool.page())
    calls = []
    delete = spool._delete_added

    def fails_first():
        calls.append(spool._reserve.exists())
        if len(calls) == 1:
            raise SpoolFullError("database or disk is full")
        delete()

    monkeypatch.setattr(spool, "_delete_added", fails_first)
    spool.delete_added()
    assert calls == [True, False]
    assert spool.depth() == 0
    assert spool._reserve.exists(), "there is room again"


def test_a_missing_replica_does_not_make_copies(spool):
    """500 events were added again every 1.5 s for as long as the replica was missing."""
    spool.put(events(*range(700)))

    async def run():
        producer = Recorder()
        producer.history, producer.replicated = "first", False
        producer.error = NotReplicatedError("0 of 1 replicas have it")
        drain = SpoolDrain(producer, spool)
        for _ in range(5):
            await drain.drain()
        rows = spool._database.execute("SELECT count(*) FROM events").fetchone()[0]
        added, waiting = len(producer.added), spool.depth()
        producer.error, producer.replicated = None, True
        await drain.drain()
        return producer, rows, added, waiting

    producer, rows, added, waiting = asyncio.run(run())
    assert (rows, added, waiting) == (700, 700, 0), "counted once, and kept until a replica has it"
    assert len(producer.added) == 700
    assert spool._database.execute("SELECT count(*) FROM events").fetchone()[0] == 0


def test_after_a_failover_what_no_replica_had_is_added_again(spool):
    spool.put(events(1, 2))

    async def run():
        producer = Recorder()
        producer.history, producer.replicated = "first", False
        producer.error = NotReplicatedError("0 of 1 replicas have it")
        drain = SpoolDrain(producer, spool)
        await drain.drain()
        producer.history, producer.error = "second", None
        producer.replicated = True
        await drain.drain()
        await drain.drain()
        return producer

    producer = asyncio.run(run())
    assert producer.flushes == [[one.id for one in events(1, 2)]] * 2
    assert spool.depth() == 0


def test_a_full_spool_is_said_and_takes_again_once_it_is_drained(tmp_path):
    spool = Spool(tmp_path, 100_000)
    big = big_events(1)
    spool.put(big)
    spool.put(big)
    with pytest.raises(SpoolFullError):
        spool.put(big)
    spool.mark_added(spool.page())
    spool.delete_added()
    spool.put(big)
    assert spool.depth() == 1
    spool.close()


def test_the_file_shrinks_after_an_outage(tmp_path):
    spool = Spool(tmp_path, 100_000_000)
    spool.put(big_events(200))
    large = (tmp_path / "spool.sqlite").stat().st_size + (
        tmp_path / "spool.sqlite-wal"
    ).stat().st_size
    while page := spool.page():
        spool.mark_added(page)
    spool.delete_added()
    assert (tmp_path / "spool.sqlite").stat().st_size < large / 10
    spool.close()


def test_only_one_process_drains(tmp_path):
    first, second = Spool(tmp_path, 1_000_000), Spool(tmp_path, 1_000_000)
    assert (first.lock_drain(), second.lock_drain()) == (True, False)
    first.unlock_drain()
    assert second.lock_drain()
    first.close()
    second.close()


@pytest.mark.parametrize(
    "damage", ["head = '[]'", "head = NULL", "body = NULL", "body = 7", "head = X'5B5D'"]
)
def test_a_row_that_is_no_event_is_set_aside_and_its_neighbours_go_on(spool, damage):
    """One row of another version kept ingest from starting, one without a body the drain."""
    spool.put(events(1, 2, 3))
    spool._database.execute(f"UPDATE events SET {damage} WHERE number = 2")

    async def run():
        producer = Recorder()
        await SpoolDrain(producer, spool).drain()
        return producer.added

    assert asyncio.run(run()) == [one.id for one in events(1, 3)]
    rows = spool._database.execute("SELECT id FROM unreadable").fetchall()
    assert rows == [(events(2)[0].id,)]
    assert spool.depth() == 0


def test_a_file_that_is_damaged_meanwhile_is_moved_aside(spool, tmp_path):
    spool.put(events(*range(50)))
    spool._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    file = tmp_path / "spool.sqlite"
    file.write_bytes(b"\0" * file.stat().st_size)
    with sqlite3.connect(file) as other, pytest.raises(sqlite3.DatabaseError):
        other.execute("SELECT count(*) FROM events").fetchone()
    spool._database.close()
    spool._database = None
    spool.put(events(100))
    assert [one.id for one in spool.page().events] == [events(100)[0].id]
    assert list(tmp_path.glob("damaged-*/spool.sqlite"))


def test_a_file_that_is_found_damaged_while_it_is_open_is_moved_aside(spool, tmp_path):
    spool.put(events(1))
    (junk := tmp_path / "junk").write_bytes(b"no database" * 100)
    with sqlite3.connect(junk) as other, pytest.raises(sqlite3.DatabaseError) as damage:
        other.execute("SELECT 1 FROM events")
    other.close()
    with pytest.raises(SpoolFullError), spool._opened():
        raise damage.value
    spool.put(events(2))
    assert [one.id for one in spool.page().events] == [events(2)[0].id]
    assert list(tmp_path.glob("damaged-*/spool.sqlite"))


def test_a_page_of_a_file_that_was_moved_aside_marks_nothing_in_the_new_one(spool):
    spool.put(events(1, 2))
    page = spool.page()
    spool._set_file_aside(sqlite3.DatabaseError("malformed"), spool._inode)
    spool.put(events(3))
    spool.mark_added(page)
    assert [one.id for one in spool.page().events] == [events(3)[0].id]


def test_a_commit_is_on_the_disk_before_it_returns(spool):
    """Only a loss of power could show it: `python -m tests.power` does."""
    (full,) = spool._database.execute("PRAGMA synchronous").fetchone()
    assert full == 2


def test_only_what_was_marked_is_deleted(spool):
    spool.put(events(1, 2))
    spool.mark_added(spool.page())
    spool.put(events(3))
    spool.delete_added()
    assert [one.id for one in spool.page().events] == [events(3)[0].id]


def test_a_page_is_bounded_in_bytes(spool):
    spool.put(big_events(40, 1_000_000))
    sizes = []
    while page := spool.page():
        sizes.append(len(page.events))
        spool.mark_added(page)
    assert (sum(sizes), max(sizes)) == (40, 4)


def test_what_one_process_has_added_and_not_deleted_is_not_added_by_another(tmp_path):
    first, second = Spool(tmp_path, 1_000_000), Spool(tmp_path, 1_000_000)
    first.put(events(1, 2))
    full_disk(first)

    async def run():
        producer = Recorder()
        with pytest.raises(SpoolFullError):
            await SpoolDrain(producer, first).drain()
        await SpoolDrain(producer, second).drain()
        return producer.added

    assert asyncio.run(run()) == [one.id for one in events(1, 2)]
    first.close()
    second.close()


def test_another_process_moving_the_file_aside_is_noticed(tmp_path):
    first, second = Spool(tmp_path, 1_000_000), Spool(tmp_path, 1_000_000)
    first.put(events(1))
    second.mark_added(second.page())
    first._set_file_aside(sqlite3.DatabaseError("malformed"), first._inode)
    first.put(events(2))
    assert [one.id for one in second.page().events] == [events(2)[0].id]
    first.close()
    second.close()


def test_a_spool_that_cannot_be_opened_is_tried_again(tmp_path):
    (tmp_path / "spool.sqlite").mkdir()
    spool = Spool(tmp_path, 1_000_000)
    with pytest.raises(SpoolFullError, match="unable to open"):
        spool.put(events(1))
    (tmp_path / "spool.sqlite").rmdir()
    spool.put(events(1))
    assert spool.depth() == 1
    spool.close()


def test_an_event_that_comes_while_the_last_row_is_set_aside_is_not_lost(spool):
    """It got the number of that row, which counted as added, and was deleted unseen."""
    spool.put(events(1, 2, 3))
    spool._database.execute("UPDATE events SET head = '[]' WHERE number = 3")

    async def run():
        producer = Recorder()
        add = producer.add

        async def add_while_one_comes(page):
            await add(page)
            if len(producer.flushes) == 1:
                spool.put(events(4))

        producer.add = add_while_one_comes
        await SpoolDrain(producer, spool).drain()
        return producer.added

    assert asyncio.run(run()) == [one.id for one in events(1, 2, 4)]
    assert spool.depth() == 0


def test_an_event_of_another_process_between_two_deletions_is_not_lost(tmp_path, monkeypatch):
    """With all rows deleted, it got the number of one of them, and was deleted with the rest."""
    first, second = Spool(tmp_path, 10_000_000), Spool(tmp_path, 10_000_000)
    first.put(events(*range(2 * DELETED_AT_ONCE)))
    while page := first.page():
        first.mark_added(page)
    opened, coming = first._opened, events(9000)

    @contextmanager
    def opened_while_one_comes():
        with opened() as database:
            yield database
        if coming and not second.depth():
            second.put([coming.pop()])

    monkeypatch.setattr(first, "_opened", opened_while_one_comes)
    first.delete_added()
    assert [one.id for one in second.page().events] == [events(9000)[0].id]
    first.close()
    second.close()


@pytest.mark.parametrize("moment", ["BEGIN IMMEDIATE", "DELETE", "SELECT EXISTS", "COMMIT"])
def test_an_event_of_another_process_at_any_moment_of_a_deletion_is_not_lost(tmp_path, moment):
    """It could get the number of a row that was just deleted, and be deleted with the rest."""
    first, second = Spool(tmp_path, 10_000_000), Spool(tmp_path, 10_000_000)
    second._database.execute("PRAGMA busy_timeout = 1")
    first.put(events(1))
    first.mark_added(first.page())
    coming = events(9000)

    def before(statement):
        if statement.startswith(moment) and coming:
            with suppress(SpoolFullError):  # locked
                second.put(coming)
                coming.clear()

    first._database.set_trace_callback(before)
    first.delete_added()
    if coming:
        second.put(coming)
    assert [one.id for one in second.page().events] == [events(9000)[0].id]
    first.close()
    second.close()
