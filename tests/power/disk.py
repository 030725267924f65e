"""A disk that loses its power: what is on it then is what was synced, and any part of the rest.

- Bytes of a file are safe once a later fsync or fdatasync of it has ended. Of later writes each may
  be there or not, in whole sectors; with `in_order`, a beginning of them is (a journalling file
  system that appends).
- A name is safe once a later fsync of its folder has ended, or of the file itself (ext4, XFS and
  btrfs write the name with a new file). Later changes of names are there up to some moment: file
  systems keep these in order.
- Memory that is mapped is not recorded: SQLite rebuilds its `-shm` file, mongod writes by pwrite.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.power.recording import Operation

SECTOR = 512

_FD = re.compile(r"^\d+<([^>]*)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
WRITES = {"write", "pwrite64", "writev", "pwritev"}
SYNCS = {"fsync", "fdatasync"}


Renaming = dict[str, "File | None"]
"""What each name stands for; None: it is gone."""


@dataclass(eq=False)
class File:
    """One inode. `changes` are (offset, bytes), or (length, None) where it was cut."""

    changes: list[tuple[int, bytes | None]] = field(default_factory=list)
    synced: int = 0
    """How many of its changes are safe."""
    at: int = 0
    size: int = 0
    appends: bool = False


class Disk:
    """The files below one folder, as operations change them."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._names: dict[str, File] = {}
        """What processes see."""
        self._safe: dict[str, File] = {}
        """What is safe."""
        self._later: list[Renaming] = []
        """Changes of names since, in order. Each is there or not, as a whole."""

    def apply(self, operation: Operation) -> None:
        call, arguments = operation.call, operation.arguments
        if call == "openat":
            self._open(arguments, operation.result)
        elif call in SYNCS:
            self._sync(arguments)
        elif call.startswith("rename"):
            self._rename(*self._paths(arguments))
        elif call.startswith("unlink"):
            self._forget(self._paths(arguments)[0])
        elif file := self._file(arguments):
            self._change_file(file, call, arguments, operation.result)

    def _change_file(self, file: File, call: str, arguments: str, result: str) -> None:
        numbers = arguments.split(", ")
        if call in WRITES:
            self._write(file, call, arguments, int(result))
        elif call == "ftruncate":
            self._cut(file, int(numbers[-1]))
        elif call == "fallocate" and numbers[1] == "0":
            self._cut(file, max(file.size, int(numbers[2]) + int(numbers[3])))
        elif call == "lseek":
            file.at = int(result)

    def image(self, random: Random, *, in_order: bool) -> dict[str, bytes]:
        """The files that are there after the power was cut now, by name below the folder."""
        names = dict(self._safe)
        for renaming in self._later[: random.randint(0, len(self._later))]:
            names = _renamed(names, renaming)
        return {
            path[len(self._folder) + 1 :]: _content(file, random, in_order=in_order)
            for path, file in names.items()
        }

    def _open(self, arguments: str, result: str) -> None:
        named = re.match(r"^\d+<([^>]*)>", result)
        path = _decoded(named[1]) if named else ""
        if not path.startswith(self._folder + "/") or "O_DIRECTORY" in arguments:
            return
        if path not in self._names:
            if "O_CREAT" not in arguments:
                return
            self._name(path, File())
        file = self._names[path]
        file.at, file.appends = 0, "O_APPEND" in arguments
        if "O_TRUNC" in arguments and file.size:
            self._cut(file, 0)

    def _file(self, arguments: str) -> File | None:
        found = _FD.match(arguments)
        return self._names.get(_decoded(found[1])) if found else None

    def _write(self, file: File, call: str, arguments: str, written: int) -> None:
        data = b"".join(map(_bytes, _TEXT.findall(arguments)))[:written]
        assert len(data) == written, "strace has cut a write short"
        offset = file.size if file.appends else file.at
        if call.startswith("p"):
            offset = int(arguments.rpartition(", ")[2])
        else:
            file.at = offset + written
        file.changes.append((offset, data))
        file.size = max(file.size, offset + written)

    def _cut(self, file: File, length: int) -> None:
        file.changes.append((length, None))
        file.size = length

    def _sync(self, arguments: str) -> None:
        path = _decoded(arguments.partition("<")[2].partition(">")[0])
        if file := self._names.get(path):
            file.synced = len(file.changes)
            self._settle(lambda renaming: file in renaming.values())
        else:
            self._settle(lambda renaming: path in {name.rpartition("/")[0] for name in renaming})

    def _settle(self, concerns: Callable[[Renaming], bool]) -> None:
        """Names are kept in order: with one of them all before it are safe."""
        last = max((n for n, one in enumerate(self._later, 1) if concerns(one)), default=0)
        for renaming in self._later[:last]:
            self._safe = _renamed(self._safe, renaming)
        self._later = self._later[last:]

    def _name(self, path: str, file: File) -> None:
        self._names[path] = file
        self._later.append({path: file})

    def _forget(self, path: str) -> None:
        if self._names.pop(path, None):
            self._later.append({path: None})

    def _rename(self, source: str, target: str) -> None:
        if file := self._names.pop(source, None):
            self._names[target] = file
            self._later.append({source: None, target: file})

    def _paths(self, arguments: str) -> list[str]:
        """Full paths: relative ones are below the folder that strace names, or the one recorded."""
        folders = [_decoded(one) for one in re.findall(r"AT_FDCWD<([^>]*)>", arguments)]
        texts = [_bytes(one).decode() for one in _TEXT.findall(arguments)]
        base = folders or [self._folder] * len(texts)
        return [
            text if text.startswith("/") else f"{at}/{text}"
            for text, at in zip(texts, base * len(texts), strict=False)
        ]


def _renamed(names: dict[str, File], renaming: Renaming) -> dict[str, File]:
    return {path: file for path, file in (names | renaming).items() if file is not None}


def _content(file: File, random: Random, *, in_order: bool) -> bytes:
    content = bytearray()
    for change in file.changes[: file.synced]:
        _change(content, *change)
    later = file.changes[file.synced :]
    if in_order:
        kept = later[: random.randint(0, len(later))]
        for offset, data in kept:
            cut = random.randint(0, len(data)) if data and offset == kept[-1][0] else None
            _change(content, offset, data if data is None else data[:cut])
    else:
        for change in _sectors(later):
            if random.random() < 0.5:
                _change(content, *change)
    return bytes(content)


def _sectors(changes: Sequence[tuple[int, bytes | None]]) -> Iterable[tuple[int, bytes | None]]:
    """The changes, each cut where a sector ends."""
    for offset, data in changes:
        at = 0
        while data is not None and at < len(data):
            end = at + SECTOR - (offset + at) % SECTOR
            yield offset + at, data[at:end]
            at = end
        if data is None:
            yield offset, None


def _change(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        content[:] = content[:offset].ljust(offset, b"\0")
    else:
        content.extend(b"\0" * (offset - len(content)))
        content[offset : offset + len(data)] = data


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _decoded(text: str) -> str:
    return _bytes(text).decode() if text.startswith("\\x") else text
