"""The disk that loses its power: what was synced stays, and nothing else is certain."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.power.disk import SECTOR, Disk
from tests.power.recording import Operation, operations

FOLDER = Path("/d")


def hexed(text):
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def did(call, arguments, result="0"):
    return Operation(call, 0, 0, arguments, result)


def opened(name, flags="O_WRONLY|O_CREAT"):
    path = f"{FOLDER}/{name}"
    return did(
        "openat", f'AT_FDCWD<{hexed("/")}>, "{hexed(path)}", {flags}, 0600', f"3<{hexed(path)}>"
    )


def written(name, text):
    return did(
        "write", f'3<{hexed(f"{FOLDER}/{name}")}>, "{hexed(text)}", {len(text)}', str(len(text))
    )


def synced(path):
    return did("fsync", f"3<{hexed(str(path))}>")


def renamed(source, target):
    names = (f'"{hexed(f"{FOLDER}/{name}")}"' for name in (source, target))
    return did("rename", ", ".join(names))


def images(*done, in_order=False):
    """Every image that 300 cuts come to."""
    disk = Disk(FOLDER)
    for one in done:
        disk.apply(one)
    found = [disk.image(Random(seed), in_order=in_order) for seed in range(300)]
    return {tuple(sorted(image.items())) for image in found}


def test_what_was_synced_stays_and_what_was_not_may_be_gone():
    done = opened("a"), written("a", "one"), synced(FOLDER / "a"), written("a", "two")
    assert images(*done) == {(("a", b"one"),), (("a", b"onetwo"),)}


def test_a_file_that_was_never_synced_may_be_there_empty_in_part_or_not_at_all():
    text = "x" * SECTOR + "y" * SECTOR
    found = images(opened("a"), written("a", text))
    contents = {dict(image).get("a") for image in found}
    assert {None, b"", text.encode(), b"x" * SECTOR, b"\0" * SECTOR + b"y" * SECTOR} == contents


def test_in_order_a_beginning_of_what_was_written_arrives():
    found = images(
        opened("a"), synced(FOLDER), written("a", "abc"), written("a", "def"), in_order=True
    )
    contents = {dict(image)["a"] for image in found}
    assert contents <= {b"abcdef"[:length] for length in range(7)}
    assert len(contents) > 3


def test_a_name_is_safe_with_its_folder_and_a_renaming_is_whole():
    done = opened("new"), written("new", "2"), synced(FOLDER / "new"), renamed("new", "a")
    assert images(*done, synced(FOLDER)) == {(("a", b"2"),)}
    assert images(*done) == {(("new", b"2"),), (("a", b"2"),)}


def test_calls_that_were_interrupted_are_put_together_and_those_that_failed_left_out(tmp_path):
    (record := tmp_path / "strace").write_text(
        "7 100.5 fsync(3<\\x2f\\x61> <unfinished ...>\n"
        "8 100.6 fsync(4<\\x2f\\x62>) = -1 EIO (Input/output error) <0.1>\n"
        "8 100.7 fsync(4<\\x2f\\x62>) = 0 <0.1>\n"
        "7 101.5 <... fsync resumed>) = 0 <1.0>\n"
        "7 102.0 +++ exited with 0 +++\n"
    )
    assert [(one.arguments, one.ended) for one in operations(record)] == [
        ("4<\\x2f\\x62>", 100.8),
        ("3<\\x2f\\x61>", 101.5),
    ]
