"""Every exception that Catchwater raises, as one tree.

    CatchwaterError
    ├── ConfigError                 a configuration file has mistakes; lists all of them
    ├── ProjectChangeError          a project cannot be changed as was asked
    ├── StageImportError            a stage's `run` cannot be imported
    ├── StartError
    │   ├── ServerStartError        an embedded Redis or MongoDB cannot be started
    │   └── ProcessStartError       one of our own processes does not become ready
    ├── UnavailableError            a server is away or busy: keep what you have, try again later
    │   ├── NotReplicatedError      Redis has it, but not as many replicas as wanted
    │   ├── PartlyAddedError        one node of a cluster has its part, another is away
    │   └── GrowingError            the partitions are being doubled: it takes seconds
    ├── RefusedError                a server refuses for good: trying again does not help
    │   └── GrownError              this process knows too few partitions: it must start again
    ├── MissingGroupError           a stream or its consumer group is gone: create it again, at 0
    ├── MissingEpochError           a partition has lost its data: create a new epoch
    ├── BreakerOpenError            a stage fails for too many events: a bug, not bad data
    ├── RefusedDocumentError        MongoDB will never accept one of these documents
    ├── RequestError                ingest does not accept a request
    │   ├── RefusedRequestError     it is refused before its body is read
    │   ├── BodyTooLargeError       the body, or what it unpacks to, is too large
    │   ├── ContentEncodingError    the body is not what its Content-Encoding says
    │   ├── MalformedEnvelopeError  the bytes are no Sentry envelope
    │   ├── InvalidJsonError        the text is not JSON, or nested too deeply
    │   ├── InvalidReportError      the JSON is no report that this address takes
    │   ├── EventTooLargeError      one event is too large
    │   ├── SpoolFullError          the spool has no room: come back later
    │   └── NotStoredError          Redis refuses events for good: nobody would count them
    ├── NotShownError               a probe is refused, or cannot be read in time
    ├── QueryParameterError         a parameter of the dashboard's address cannot be used
    ├── UploadError                 an uploaded bundle of source maps cannot be taken
    ├── InvalidSourceMapError       the bytes are no source map that can be used
    └── SourceUnreadableError       a source's functions cannot be read off it

The message of each names the value, the place and the next step, for the person who reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catchwater.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from aiohttp import web


class CatchwaterError(Exception):
    """The root of the tree. What it says holds no password of an address."""

    def __str__(self) -> str:
        return redacted(super().__str__())


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing that is wrong.

    `line` counts from 1; `where` is the path of keys, such as `stages.dedupe`.
    """

    line: int
    where: str
    text: str

    def __str__(self) -> str:
        return (
            f"line {self.line}: {self.where}: {self.text}"
            if self.where
            else f"line {self.line}: {self.text}"
        )


class ConfigError(CatchwaterError):
    """A configuration that cannot be used. Its text lists every mistake, one a line."""

    def __init__(self, path: Path | str, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(set(mistakes))
        super().__init__("\n".join(f"{path}: {mistake}" for mistake in self.mistakes))


class ProjectChangeError(CatchwaterError):
    """A project has no such id or key, or too many keys. The text says what there is."""


class StageImportError(CatchwaterError):
    """The `run` of a stage cannot be imported or called. The text says which, and why."""


class StartError(CatchwaterError):
    """Something cannot be started. The message says why, and what to do."""


class ServerStartError(StartError):
    """An embedded server, or its port or folder, cannot be used."""


class ProcessStartError(StartError):
    """A process of ours does not become ready."""


class UnavailableError(CatchwaterError):
    """A server is away or refuses for now. A write may or may not have been done."""


class NotReplicatedError(UnavailableError):
    """Redis has done a write, but too few replicas have it yet. It must not be done again."""


class PartlyAddedError(UnavailableError):
    """Some nodes of a cluster have their events; `added` has the ids of these."""

    def __init__(self, why: str, added: Iterable[str]) -> None:
        super().__init__(why)
        self.added = frozenset(added)


class GrowingError(UnavailableError):
    """The partitions of this Redis become as many as this process knows, and are not yet."""


class RefusedError(CatchwaterError):
    """A server refuses a command or an address for good. Its own text is in the message."""


class GrownError(RefusedError):
    """The data has more partitions than this process knows. The text says how many."""

    @classmethod
    def of(cls, there: int, known: int) -> GrownError:
        return cls(
            f"GROWN to {there} partitions, and this process knows {known}: set partitions: {there} "
            "in its streamdefs.yaml and start it again"
        )


class MissingGroupError(CatchwaterError):
    """The stream or its group is gone (FLUSHALL, a failover to an empty server)."""


class MissingEpochError(CatchwaterError):
    """The partition has no epoch: Redis lost its data. Create one before counting on."""


class BreakerOpenError(CatchwaterError):
    """Too many events make the stage raise. Its events must wait for a fix, not die."""


class RefusedDocumentError(CatchwaterError):
    """MongoDB will never accept one of these documents. The text says why."""


class RequestError(CatchwaterError):
    """Ingest does not accept a request; the text is sent back."""


class RefusedRequestError(RequestError):
    """Ends a request with `answer`; `reason` is counted."""

    def __init__(self, reason: str, answer: web.Response) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answer = answer


class BodyTooLargeError(RequestError):
    """The body, or what it unpacks to, is over the bound."""


class ContentEncodingError(RequestError):
    """The body is not what its Content-Encoding says, or that encoding is unknown."""


class MalformedEnvelopeError(RequestError):
    """The bytes are no envelope. The message says which part is wrong."""


class InvalidJsonError(RequestError):
    """The text is not JSON, or nested too deeply."""


class InvalidReportError(RequestError):
    """The body is not what this address takes. The message says why."""


class EventTooLargeError(RequestError):
    """One event is over the limit of one event."""


class SpoolFullError(RequestError):
    """The spool has no room, or its file cannot be used: the client must come back later."""


class NotStoredError(RequestError):
    """Redis refuses events for good: what is spooled would never be counted, so it is not taken."""


class NotShownError(CatchwaterError):
    """A probe was not accepted, or is not where people look. The text says where it is."""


class QueryParameterError(CatchwaterError, ValueError):
    """A parameter cannot be used. The text names it, its value and what is allowed."""


class UploadError(CatchwaterError):
    """What was uploaded cannot be taken. `status` is the HTTP status; the text says what to do."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class InvalidSourceMapError(CatchwaterError):
    """These bytes are no source map that can be used. The text says why."""


class SourceUnreadableError(CatchwaterError):
    """The parser died of a source, or took too long. The text says which.

    `of_source` is False where the parser could not even be started.
    """

    def __init__(self, why: str, *, of_source: bool = True) -> None:
        super().__init__(why)
        self.of_source = of_source
