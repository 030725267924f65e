"""Which slot of a Redis Cluster a command goes to, and what a redirection makes of it. Pure.

A script is not safe while its slot moves from one node to another: of a key that it makes, the
node that has the slot says that it is elsewhere, and the script ends half done. So every call of a
script names one key more, of its slot, that never exists. For a call that names a missing key a
node answers TRYAGAIN as long as the slot moves, and does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import hiredis
from redis.crc import key_slot
from redis.exceptions import AskError, MovedError, RedisError, TryAgainError

if TYPE_CHECKING:
    from collections.abc import Sequence

Command = tuple[Any, ...]

ABSENT_STREAM = "-probe-"
"""No declared stream has this name, and nothing makes one."""

_KEYLESS = {
    *("ACL", "BGREWRITEAOF", "CLIENT", "CLUSTER", "CONFIG", "DBSIZE", "INFO", "PING", "SCAN"),
    *("SCRIPT", "TIME", "WAIT"),
}
_SCRIPTS = ("EVALSHA", "EVAL")
UNANSWERED = object()


class Job:
    """One command, and what became of it."""

    __slots__ = ("command", "reply")

    def __init__(self, command: Command) -> None:
        self.command = _guarded(command) if command[0] in _SCRIPTS else command
        self.reply: Any = UNANSWERED
        """The reply, or the error in its place."""

    @property
    def is_open(self) -> bool:
        """Whether it is still to be sent, or to be sent elsewhere: so far nothing was done."""
        return self.reply is UNANSWERED or isinstance(self.reply, AskError)

    @property
    def moved(self) -> MovedError | None:
        """The slot has another node for good."""
        return self.reply if isinstance(self.reply, MovedError) else None

    @property
    def asked(self) -> AskError | None:
        """The key is on its way to another node, which is to be asked this one time."""
        return self.reply if isinstance(self.reply, AskError) and not self.moved else None

    def result(self) -> Any:
        """The reply, or the error in its place: one for the time being after many redirections."""
        if not isinstance(self.reply, AskError):
            return self.reply
        return noted(TryAgainError("its slot moves"), f"{self.reply.host}:{self.reply.port}")


class Batch:
    """What goes to one node in one round trip."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    @classmethod
    def of(cls, command: Command) -> Batch:
        batch = cls()
        batch.append(command)
        return batch

    def add(self, job: Job) -> None:
        if job.asked:
            self.append(("ASKING",))  # it holds for the next command of its connection
        job.reply = UNANSWERED
        self.jobs.append(job)

    def append(self, command: Command) -> Job:
        self.jobs.append(Job(command))
        return self.jobs[-1]

    def packed(self) -> bytes:
        commands = (job.command for job in self.jobs)
        return b"".join(hiredis.pack_command((*one[0].split(), *one[1:])) for one in commands)

    def unanswered(self) -> list[Job]:
        return [job for job in self.jobs if job.reply is UNANSWERED]

    @property
    def is_answered(self) -> bool:
        return not self.unanswered()

    def fail(self, error: RedisError) -> None:
        """What has no reply will get none."""
        for job in self.unanswered():
            job.reply = error

    def name_errors(self, node: str) -> None:
        """Each error says where it comes from."""
        for job in self.jobs:
            if isinstance(job.reply, RedisError):
                noted(job.reply, node)


def jobs_of(commands: Sequence[Command]) -> tuple[list[Job], list[Command]]:
    """What each goes to its own node, and the WAITs, which all nodes get."""
    waits = [command for command in commands if command[0] == "WAIT"]
    return [Job(command) for command in commands if command[0] != "WAIT"], waits


def least(jobs: Sequence[Job]) -> Any:
    """The smallest reply, or the first error. 0 where nothing was sent."""
    errors = (job.reply for job in jobs if isinstance(job.reply, RedisError))
    return next(errors, None) or min((job.reply for job in jobs), default=0)


E = TypeVar("E", bound=BaseException)


def noted(error: E, node: str) -> E:
    if not hasattr(error, "__notes__"):
        error.add_note(node)
    return error


def slot_of(command: Command) -> int:
    """The slot of its key; 0, as good as any, where it has none."""
    key = _key_of(command)
    return 0 if key is None else slot_of_key(key)


def slot_of_key(key: str | bytes) -> int:
    return int(key_slot(key.encode() if isinstance(key, str) else key))


def _key_of(command: Command) -> Any:
    name = command[0]
    if name.partition(" ")[0] in _KEYLESS:
        return None
    if name in _SCRIPTS:
        return command[3]
    return command[command.index("STREAMS", 4) + 1] if name == "XREADGROUP" else command[1]


def _guarded(command: Command) -> Command:
    """The call of a script, with the key that never exists after its own."""
    end = 3 + int(command[2])
    key = str(command[3])
    tag = key.partition("{")[2].partition("}")[0] or key
    absent = f"cw:{{{tag}}}:stream:{ABSENT_STREAM}"
    return (*command[:2], end - 2, *command[3:end], absent, *command[end:])
