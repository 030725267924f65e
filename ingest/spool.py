"""Where accepted events wait while Redis is away: a bounded SQLite file, on disk before the
client is answered.

Ingest does not depend on it while Redis is well. So a file that is damaged is moved aside (never
deleted), one that cannot be opened is tried again at each use, and a row that cannot be read is
moved to a table of its own.
"""

from __future__ import annotations

import fcntl
import sqlite3
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from catchwater.errors import SpoolFullError
from catchwater.event import encode
from ingest.spool_rows import PAGE_BYTES, Marks, Page, page_of, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from catchwater.event import Event

log = structlog.get_logger()

PAGE = 500
"""Events that are drained at a time, at most."""

DELETED_AT_ONCE = 200
"""Rows that one transaction deletes: its log must fit into the reserve."""

RESERVE_BYTES = 4_000_000
"""Disk space that is reserved for deleting rows: on a full disk that needs room, too."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, id TEXT, head BLOB, body BLOB);
CREATE TABLE IF NOT EXISTS unreadable (number INTEGER, id TEXT, head BLOB, body BLOB);
"""

SHRINK = """
PRAGMA wal_checkpoint(TRUNCATE);
PRAGMA incremental_vacuum;
PRAGMA wal_checkpoint(TRUNCATE);
"""
"""Makes the log empty, then the file smaller. The first step makes room for the second."""


class Spool:
    """Several ingest processes may share one folder.

    What one leaves behind when it dies, another drains. The methods wait for the disk: an asyncio
    program calls them in `executor`.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        """`limit` is the size of the file in bytes that is not exceeded by more than one batch."""
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "spool.sqlite"
        self._reserve = folder / "reserve"
        self._limit = limit
        self._drain_lock = (folder / "drain.lock").open("w")
        self._aside_lock = (folder / "aside.lock").open("w")
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._inode = 0
        self._marks = Marks()
        self._fill = 0.0
        self.executor = ThreadPoolExecutor(1, "spool")
        with suppress(SpoolFullError), self._opened():
            self._make_reserve()

    def put(self, events: Sequence[Event]) -> None:
        """These are on disk when this returns. Raises SpoolFullError."""
        encoded = [(event.id, encode(event)) for event in events]
        rows = [(id_, fields[b"head"], fields[b"body"]) for id_, fields in encoded]
        with self._opened() as database:
            size = self._size(database)
            self._fill = size / self._limit
            if size >= self._limit:
                raise SpoolFullError(f"the spool has reached its {self._limit} bytes")
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO events (id, head, body) VALUES (?, ?, ?)", rows)
            database.execute("COMMIT")

    def page(self) -> Page | None:
        """The oldest rows that were not marked as added; None when there are none.

        Raises SpoolFullError when the file cannot be read.
        """
        query = "SELECT number, id, head, body FROM events WHERE number > ? ORDER BY number LIMIT ?"
        with self._opened() as database:
            found = database.execute(query, (self._marks.to, PAGE))
            rows = list(until(PAGE_BYTES, found))
            return page_of(self._inode, rows) if rows else None

    def mark_added(self, page: Page, left: Sequence[int] = ()) -> None:
        """Redis has the rows up to the end of this page, without those of the numbers `left`.

        Remembered until they are deleted. As long as `has_marks`, `lock_drain` must be held:
        another process would delete them, and SQLite gives the numbers of deleted rows away again.
        """
        with self._lock:
            if page.events and page.inode == self._inode:
                self._marks.add(page, left)

    def forget_added(self) -> None:
        """`page` begins anew: Redis may have lost what was marked, or takes what was left."""
        with self._lock:
            self._marks = Marks()

    @property
    def has_added(self) -> bool:
        """Whether rows that were marked as added are still to be deleted."""
        return self._marks.undeleted > 0

    @property
    def has_marks(self) -> bool:
        """Whether any are, or some were left before rows that were added."""
        return self._marks.to > 0

    def set_unreadable_aside(self, numbers: Sequence[int]) -> None:
        """Move these rows to the table `unreadable`. Raises SpoolFullError."""
        with self._opened() as database:
            for number in numbers:
                database.execute("BEGIN IMMEDIATE")
                database.execute(
                    "INSERT INTO unreadable SELECT * FROM events WHERE number = ?", (number,)
                )
                database.execute("DELETE FROM events WHERE number = ?", (number,))
                database.execute("COMMIT")

    def delete_added(self) -> None:
        """Delete the rows that were marked as added. Raises SpoolFullError.

        On a full disk the reserve is given up for it, and made again when there is room.
        """
        if not self.has_added:
            return
        try:
            self._delete_added()
        except SpoolFullError:
            self._reserve.unlink(missing_ok=True)
            self._delete_added()
        with self._opened() as database:
            self._make_reserve()
            self._fill = self._size(database) / self._limit

    def fill(self) -> float:
        """The part of its limit that was taken when it was last changed: 0 to 1."""
        return self._fill

    def depth(self) -> int:
        """How many events wait here. Raises SpoolFullError when the file cannot be read.

        `fill` knows afterwards what other processes have put in and taken out.
        """
        with self._opened() as database:
            self._fill = self._size(database) / self._limit
            query = "SELECT count(*) FROM events WHERE number > ?"
            (after,) = database.execute(query, (self._marks.to,)).fetchone()
            return int(after) + len(self._marks.left)

    def lock_drain(self) -> bool:
        """Whether this process may drain: one at a time, or everything would be added twice."""
        try:
            fcntl.flock(self._drain_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def unlock_drain(self) -> None:
        fcntl.flock(self._drain_lock, fcntl.LOCK_UN)

    def close(self) -> None:
        self.executor.shutdown()
        if self._database:
            self._database.close()
        self._drain_lock.close()
        self._aside_lock.close()

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """The database, open. Raises SpoolFullError when it cannot be used now.

        Meanwhile no other process moves the file aside: what is put into it would go with it.
        """
        with self._lock:
            fcntl.flock(self._aside_lock, fcntl.LOCK_SH)
            try:
                yield self._current()
            except sqlite3.Error as error:
                if self._database and self._database.in_transaction:
                    with suppress(sqlite3.Error):
                        self._database.execute("ROLLBACK")
                if _is_damage(error):
                    self._set_file_aside(error, self._inode)
                raise SpoolFullError(f"the spool {self._file} cannot be used: {error}") from error
            finally:
                fcntl.flock(self._aside_lock, fcntl.LOCK_UN)

    def _current(self) -> sqlite3.Connection:
        """The connection to the file of that name: another process may have moved it aside."""
        if self._database and self._inode != _inode(self._file):
            self._database.close()
            self._database = None
        if self._database is None:
            self._marks = Marks()  # another file numbers its rows anew
            self._inode = _inode(self._file)
            try:
                self._database = self._connect()
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._set_file_aside(error, self._inode)
                self._database = self._connect()
            self._inode = _inode(self._file)
        return self._database

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(
            self._file, timeout=10, check_same_thread=False, isolation_level=None
        )
        try:
            database.execute("PRAGMA auto_vacuum=INCREMENTAL")  # the file shrinks after an outage
            database.execute("PRAGMA secure_delete=ON")  # what people's browsers sent is not kept
            database.execute("PRAGMA journal_mode=WAL")
            # A commit is on disk: the answer 2xx depends on it.
            database.execute("PRAGMA synchronous=FULL")
            database.executescript(SCHEMA)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _set_file_aside(self, error: sqlite3.Error, damaged: int) -> None:
        """Move the file of that inode into a folder of its own, if it still has the name: by now
        another process may have moved it, and made a new one.
        """
        if self._database:
            with suppress(sqlite3.Error):
                self._database.close()
            self._database = None
        fcntl.flock(self._aside_lock, fcntl.LOCK_EX)
        if _inode(self._file) != damaged:
            return
        prefix = f"damaged-{time.strftime('%Y%m%dT%H%M%S')}-"
        moved = Path(tempfile.mkdtemp(prefix=prefix, dir=self._file.parent))
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                file = self._file.with_name(self._file.name + suffix)
                file.rename(moved / file.name)
        log.error("the spool is damaged: it was moved aside", folder=str(moved), why=str(error))

    def _delete_added(self) -> None:
        query = "SELECT number FROM events WHERE number > ? AND number <= ? ORDER BY number LIMIT ?"
        after = 0
        while self.has_added:
            with self._opened() as database:
                # The last row goes last: until then no event of another process gets the number of
                # one that was deleted.
                database.execute("BEGIN IMMEDIATE")
                found = database.execute(query, (after, self._marks.to, DELETED_AT_ONCE))
                numbers = [number for (number,) in found]
                added = ((number,) for number in self._marks.added(numbers))
                database.executemany("DELETE FROM events WHERE number = ?", added)
                database.execute("COMMIT")
                if len(numbers) < DELETED_AT_ONCE:
                    self._marks.deleted()
                else:
                    after = numbers[-1]
                with suppress(sqlite3.Error):  # on a full disk the next deletion tries again
                    database.executescript(SHRINK)

    def _make_reserve(self) -> None:
        """Best effort: on a full disk it is tried again after the next deletion."""
        if self._reserve.exists():
            return
        try:
            self._reserve.write_bytes(bytes(RESERVE_BYTES))
        except OSError:
            self._reserve.unlink(missing_ok=True)

    def _size(self, database: sqlite3.Connection) -> int:
        pages, free, size = (
            int(database.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size


def _is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def _inode(file: Path) -> int:
    try:
        return file.stat().st_ino
    except OSError:
        return 0
