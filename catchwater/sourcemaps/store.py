"""Source maps in MongoDB: the one module of the stages that speaks to it.

`map_names` has one document for each map of a project's release (or debug id); the bytes are in the
GridFS bucket `maps`, compressed, once for all names whose bytes are the same, and beside them their
index (see `place_index`); `map_projects` says which projects have maps, and when that last changed.
Every write may be done twice, in any order.
Chunks of GridFS have no date of their own, so they are given one, and expire like the rest; a day
later, so that no file outlives its bytes.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bson import ObjectId
from gridfs import DEFAULT_CHUNK_SIZE, GridFSBucket
from gridfs.errors import CorruptGridFile, NoFile

from catchwater import mongo_client
from catchwater.errors import InvalidSourceMapError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

Document = dict[str, Any]

BUCKET = "maps"

LARGEST = 64 * 2**20
"""Bytes of a map that is still looked at, unpacked."""

INDEX_CHUNK = 16 * 2**10
"""Bytes of a chunk of an index, of which a few are read at a time; GridFS has 255 kB otherwise."""


@dataclass(frozen=True, slots=True)
class StoredMap:
    """A map under one of its names. `size` is in bytes, unpacked; `sha` names the bytes. `unread`:
    why it could not be read at its upload, and no frame is mapped by it.
    """

    project: str
    release: str
    path: str
    debug_id: str
    sha: str
    size: int
    mappings: int
    uploaded: datetime | None = None
    dist: str = ""
    unread: str = ""


@dataclass(frozen=True, slots=True)
class IndexFile:
    """Where an index is. `length` and `chunk` are in bytes."""

    id: Any
    length: int
    chunk: int


@dataclass(slots=True)
class FoundMaps:
    """What MongoDB knows of the scripts of one event: maps by debug id and by path, and the
    paths that other dists of this release, or other releases, have maps for.
    """

    by_debug_id: dict[str, StoredMap] = field(default_factory=dict)
    by_path: dict[str, StoredMap] = field(default_factory=dict)
    other_dists: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)

    def map_of(self, path: str, debug_id: str) -> StoredMap | None:
        """A debug id names the very build, so it wins over release and path."""
        return self.by_debug_id.get(debug_id) or self.by_path.get(path)


class MapStore(mongo_client.Store):
    """The maps.

    Every method raises UnavailableError while MongoDB is away, and RefusedError if its address
    cannot be used.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._names = self._database["map_names"]
        self._bucket = GridFSBucket(self._database, BUCKET)

    def projects(self) -> dict[str, datetime]:
        """The projects that have maps, and when one was last uploaded."""
        with self._translated_errors():
            return {
                str(one["_id"]): one["changed"] for one in self._database["map_projects"].find()
            }

    def find(
        self,
        project: str,
        release: str,
        paths: Sequence[str],
        debug_ids: Sequence[str],
        dist: str = "",
    ) -> FoundMaps:
        """What is known of these scripts: two queries at most, however many there are."""
        same_release = {"release": release, "path": {"$in": list(paths)}}
        either: list[Document] = [same_release, {"debug_id": {"$in": list(debug_ids)}}]
        with self._translated_errors():
            found = FoundMaps()
            for document in self._names.find({"project": project, "$or": either}).sort(
                "uploaded", 1
            ):
                _add(found, _stored_map(document), release, dist)
            if missing := [path for path in paths if path not in found.by_path]:
                others = self._names.distinct(
                    "path", {"project": project, "path": {"$in": missing}}
                )
                found.elsewhere = {str(path) for path in others}
            return found

    def read(self, sha: str, largest: int) -> bytes | None:
        """The bytes of a map, unpacked; None if they are gone, damaged, or more than `largest`."""
        with self._translated_errors():
            try:
                with self._bucket.open_download_stream_by_name(sha) as stream:
                    return _unpacked(stream.read(), largest)
            except (NoFile, CorruptGridFile, zlib.error):
                return None

    def indexes(self, shas: Sequence[str]) -> dict[str, IndexFile]:
        """Where the indexes of these maps are, as far as there are any."""
        names = {_index_of(sha): sha for sha in shas}
        with self._translated_errors():
            found = self._database[f"{BUCKET}.files"].find({"filename": {"$in": list(names)}})
            return {
                names[one["filename"]]: IndexFile(one["_id"], one["length"], one["chunkSize"])
                for one in found
            }

    def read_ranges(self, wanted: Sequence[tuple[IndexFile, int, int]]) -> list[bytes]:
        """Bytes of indexes, each from where to where. One query.

        Raises InvalidSourceMapError where one is not there any more.
        """
        chunks: dict[tuple[Any, int], bytes] = {}
        numbers: dict[Any, set[int]] = {}
        for one, begins, ends in wanted:
            numbers.setdefault(one.id, set()).update(_chunks(one, begins, ends))
        each = [{"files_id": of, "n": {"$in": list(these)}} for of, these in numbers.items()]
        with self._translated_errors():
            for chunk in self._database[f"{BUCKET}.chunks"].find({"$or": each}) if each else ():
                chunks[chunk["files_id"], chunk["n"]] = chunk["data"]
        try:
            return [_range(chunks, *one) for one in wanted]
        except KeyError as error:
            raise InvalidSourceMapError("a part of its index is gone: upload it again") from error

    def has_index(self, sha: str) -> bool:
        with self._translated_errors():
            files = self._database[f"{BUCKET}.files"]
            return files.find_one({"filename": _index_of(sha)}, {"_id": 1}) is not None

    def put_index(self, sha: str, packed: bytes) -> None:
        """Store the index of a map, for as long as the map is stored."""
        with self._translated_errors():
            self._store_bytes(_index_of(sha), packed, datetime.now(UTC), INDEX_CHUNK)

    def prepare(self, retention: timedelta) -> None:
        """Create the indexes. `retention`: how long a map is stored after its last upload."""
        with self._translated_errors():
            self._names.create_index([("project", 1), ("path", 1), ("release", 1)])
            self._names.create_index([("project", 1), ("debug_id", 1)])
            mongo_client.expire_after(self._database, "map_names", "uploaded", retention)
            mongo_client.expire_after(self._database, "map_projects", "changed", retention)
            mongo_client.expire_after(
                self._database, f"{BUCKET}.files", "metadata.uploaded", retention
            )
            mongo_client.expire_after(
                self._database, f"{BUCKET}.chunks", "uploaded", retention + timedelta(days=1)
            )

    def put(self, one: StoredMap, raw: bytes) -> bool:
        """Store a map under a name. Returns False if the same bytes had that name.

        Its retention starts anew either way.
        """
        with self._translated_errors():
            now = datetime.now(UTC)
            self._store_bytes(one.sha, zlib.compress(raw, 6), now)
            self._keep(_index_of(one.sha), now)
            fields = {name: getattr(one, name) for name in (*_FIELDS, *_LATER_FIELDS)} | {
                "uploaded": now
            }
            before = self._names.find_one_and_update(
                {"_id": _identity(one)}, {"$set": fields}, {"sha": 1}, upsert=True
            )
            changed = before is None or before.get("sha") != one.sha
            self._database["map_projects"].update_one(
                {"_id": one.project}, {"$max": {"changed": now}}, upsert=True
            )
            return changed

    def listed(self, project: str) -> Iterator[StoredMap]:
        """The maps of a project, newest first."""
        with self._translated_errors():
            yield from map(_stored_map, self._names.find({"project": project}).sort("uploaded", -1))

    def _store_bytes(
        self, name: str, packed: bytes, now: datetime, chunk: int = DEFAULT_CHUNK_SIZE
    ) -> None:
        """The chunks are dated last: those of an upload that died have no date, and a later one
        takes them away.
        """
        files, chunks = self._database[f"{BUCKET}.files"], self._database[f"{BUCKET}.chunks"]
        if files.find_one({"filename": name}, {"_id": 1}) is None:
            hour_ago = ObjectId.from_datetime(now - timedelta(hours=1))
            chunks.delete_many({"uploaded": None, "_id": {"$lt": hour_ago}})
            metadata = {"size": len(packed), "uploaded": now}
            self._bucket.upload_from_stream(name, packed, chunk, metadata=metadata)
        self._keep(name, now)

    def _keep(self, sha: str, now: datetime) -> None:
        """Let a file's retention start anew, if there is one of that name."""
        files, chunks = self._database[f"{BUCKET}.files"], self._database[f"{BUCKET}.chunks"]
        same = [one["_id"] for one in files.find({"filename": sha}, {"_id": 1})]
        files.update_many({"_id": {"$in": same}}, {"$max": {"metadata.uploaded": now}})
        chunks.update_many({"files_id": {"$in": same}}, {"$max": {"uploaded": now}})

    def _translated_errors(self) -> AbstractContextManager[None]:
        return mongo_client.translated_errors(self._url, ", and source maps are stored there")


_FIELDS = ("project", "release", "path", "debug_id", "sha", "size", "mappings")
_LATER_FIELDS = ("dist", "unread")  # not in documents of older releases


def _identity(one: StoredMap) -> str:
    """Of a map's name. One without a dist is called as before there were dists."""
    name = f"{one.project}\0{one.release}\0{one.path}\0{one.debug_id}"
    whole = f"{name}\0{one.dist}" if one.dist else name
    return hashlib.sha256(whole.encode()).hexdigest()[:40]


def _index_of(sha: str) -> str:
    """The file of a map's index. The number is that of its format."""
    return f"{sha}.places.1"


def _chunks(one: IndexFile, begins: int, ends: int) -> range:
    return range(begins // one.chunk, -(-min(ends, one.length) // one.chunk))


def _range(chunks: dict[tuple[Any, int], bytes], one: IndexFile, begins: int, ends: int) -> bytes:
    numbers = _chunks(one, begins, ends)
    joined = b"".join(chunks[one.id, number] for number in numbers)
    return joined[begins - numbers.start * one.chunk :][: ends - begins]


def sha_of(raw: bytes) -> str:
    """What the bytes of a map are called."""
    return hashlib.sha256(raw).hexdigest()


def _stored_map(document: Document) -> StoredMap:
    fields = {name: document[name] for name in _FIELDS}
    later = {name: document.get(name, "") for name in _LATER_FIELDS}
    return StoredMap(**fields, **later, uploaded=document["uploaded"])


def _add(found: FoundMaps, one: StoredMap, release: str, dist: str) -> None:
    """A map that was uploaded without a dist is of all dists that have none of their own."""
    if one.debug_id:
        found.by_debug_id[one.debug_id] = one
    if not one.path or one.release != release:
        return
    if one.dist not in ("", dist):
        found.other_dists.add(one.path)
        return
    known = found.by_path.get(one.path)
    if known is None or one.dist or not known.dist:
        found.by_path[one.path] = one


def _unpacked(packed: bytes, largest: int) -> bytes | None:
    unpacker = zlib.decompressobj()
    raw = unpacker.decompress(packed, largest)
    return raw if unpacker.eof else None
