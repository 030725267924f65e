"""What people's browsers sent leaves the disk with the row that it stood in."""

from __future__ import annotations

from dataclasses import replace

from tests.ingest.recorder import events

PRIVATE = b"jane@example.com"


def contents(folder) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


def test_what_has_left_the_spool_is_on_its_disk_no_more(spool, tmp_path):
    """An e-mail address stood in the file, with no row in it."""
    spool.put([replace(event, body=b'"%s"' % PRIVATE) for event in events(*range(1000))])
    spool.mark_added(spool.page())
    assert PRIVATE in contents(tmp_path)
    spool.mark_added(spool.page())
    spool.delete_added()
    assert PRIVATE not in contents(tmp_path)


def test_deleted_bytes_are_overwritten_on_every_system(spool):
    """Debian's SQLite does so by itself, others do not."""
    assert spool._database.execute("PRAGMA secure_delete").fetchone() == (1,)
