"""Read tokens of programs: made once, and set as their SHA-256 hash. Pure.

They are random, 256 bits, so that no slow hash is needed for what nobody can guess.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

PREFIX = "cwr_"
"""How each begins, so that scanners of repositories and logs know one."""

_SETTING = re.compile(r"sha256:(?P<digest>[0-9a-f]{64})(?::(?P<project>[0-9]{1,10}))?")


def new() -> str:
    """A token. Nothing but its hash is needed later."""
    return PREFIX + secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class ReadToken:
    """What is known of a token. `project`: it shows that one only; '': all of them."""

    digest: bytes = field(repr=False)
    project: str = ""

    @classmethod
    def of(cls, token: str, project: str = "") -> ReadToken:
        return cls(_digest(token.encode()), project)

    @classmethod
    def parse(cls, text: str) -> ReadToken:
        """`sha256:HEX` or `sha256:HEX:PROJECT`. Raises ValueError, which does not repeat it."""
        if found := _SETTING.fullmatch(text):
            return cls(bytes.fromhex(found["digest"]), found["project"] or "")
        if text.startswith(PREFIX):
            raise ValueError("is a token itself, and its hash is wanted: make a new one")
        raise ValueError("is not sha256:HEX or sha256:HEX:PROJECT")

    def __str__(self) -> str:
        return f"sha256:{self.digest.hex()}{':' * bool(self.project)}{self.project}"


@dataclass(frozen=True, slots=True)
class Tokens:
    """All that are valid: several at once, so that one can be replaced while it is in use."""

    known: tuple[ReadToken, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Tokens:
        """With commas between them. Raises ValueError, which says which one is wrong."""
        given = [one.strip() for one in text.split(",")] if text.strip() else []
        found = []
        for place, one in enumerate(given, start=1):
            try:
                found.append(ReadToken.parse(one))
            except ValueError as error:
                raise ValueError(f"number {place} of {len(given)} {error}") from error
        return cls(tuple(found))

    def __bool__(self) -> bool:
        return bool(self.known)

    def find(self, given: bytes | None) -> ReadToken | None:
        """The token that was given. All are looked at, each for the same time."""
        digest = _digest(given or b"")
        found = [one for one in self.known if hmac.compare_digest(one.digest, digest)]
        return found[0] if found else None


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
