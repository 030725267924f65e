"""The one codec of counters: their fields in Redis, their parts and keys in MongoDB.

The commit writes fields of a bucket's hash in Redis, the sink turns them into paths of documents in
MongoDB, and the dashboard reads those. All three use this module; nothing else knows the format.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import unquote

from catchwater.streams import time_buckets

TAG_VALUES = 20
"""Distinct values of a tag that are counted apart, for each issue, month and partition."""

TAG_NAMES = 30
"""Names of tags that are counted apart, for each issue, month and partition."""

VALUES_PER_ISSUE = 20
"""Values of tags that are counted apart, for each issue that a project may have: all of its tags
together, by month and partition. So a few issues may have many values, but not all of them.
"""

OTHER = "(other)"
"""The name, or the value, under which everything beyond these bounds is counted."""

OTHER_ISSUE = "other"
"""The end of the id of the issue under which a project's events beyond `issues` are counted."""

_LONGEST = 64
"""Bytes of a tag in Redis. Redis keeps a hash packed while none of its fields is longer."""

SEPARATOR = "\t"
"""Between the parts of a field."""

_EMPTY = "%"
"""The key in MongoDB for an empty text. It is unique: a percent sign is escaped as `%25`."""


def project_of(issue: str) -> str:
    """The project of an issue's id, which begins with it."""
    return issue.partition(":")[0]


def other_issue(project: str) -> str:
    """The issue under which a project's events are counted when it has too many issues."""
    return f"{project}:{OTHER_ISSUE}"


def events_field(issue: str) -> str:
    """How many events an issue has in a bucket."""
    return SEPARATOR.join(("events", issue))


def more_field(issue: str) -> str:
    """How many occurrences the events stand for beyond one each."""
    return SEPARATOR.join(("more", issue))


def tag_field(issue: str, tag: str) -> str:
    """How many occurrences an issue has with this value of a tag, as `tag` names the two."""
    return SEPARATOR.join(("tag", issue, tag))


def tag(name: str, value: str) -> str:
    """A tag and its value, as one text."""
    return SEPARATOR.join((name, value))


def short_tag(tag: str) -> str:
    """The name of a tag's counter in Redis: the tag itself, or its digest when it is long."""
    long = tag.encode()
    return tag if len(long) <= _LONGEST else blake2b(long, digest_size=16).hexdigest()


class CounterField(NamedTuple):
    """A parsed field. `kind` is events, more or tag; `tag` names a tag and its value, and is ''
    but for a tag.
    """

    kind: str
    issue: str
    tag: str = ""


@lru_cache(maxsize=4096)
def parse_field(field: str) -> CounterField:
    """Parse a field written by events_field, more_field or tag_field.

    Raises TypeError for one without a separator.
    """
    return CounterField(*field.split(SEPARATOR, 2))


def parse_tag(text: str) -> tuple[str, str]:
    """The name and the value that `tag` has made one text of. Raises ValueError for another."""
    name, value = text.split(SEPARATOR, 1)
    return name, value


@dataclass(frozen=True, slots=True)
class Part:
    """One grow-only counter of a bucket: what one partition counted in one epoch and generation.

    A counter that had to start from zero (data lost, or expired) is a new part, so its small
    numbers do not hide behind the larger old ones.
    """

    month: str
    partition: str
    epoch: str
    generation: str

    def __str__(self) -> str:
        """`202611-p42-a1b2c3d4-1`: the key of the part in a document of MongoDB."""
        return f"{self.month}-{source_of(self.partition, self.epoch)}-{self.generation}"


def part_of(bucket: str, partition: str, epoch: str, generation: str) -> Part:
    """The part of an hour or a month that this partition counts now."""
    return Part(time_buckets.month_of(bucket), partition, epoch, generation)


def source_of(partition: str, epoch: str) -> str:
    """The middle of a part's key: who counted, whichever the month and generation."""
    return f"{partition}-{epoch}"


@lru_cache(maxsize=4096)
def escape_key(text: str) -> str:
    """Escape `text` for use as a key in MongoDB, where `.`, `$` and NUL are special."""
    escaped = text.replace("%", "%25").replace(".", "%2E").replace("$", "%24").replace("\0", "%00")
    return escaped or _EMPTY


def unescape_key(key: str) -> str:
    """Undo `escape_key`."""
    return "" if key == _EMPTY else unquote(key)
