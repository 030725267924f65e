"""The dashboard's password: set as it is, or as what scrypt makes of it. Pure."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

SHORTEST = 10
"""Characters of one that other machines can try."""

NAME = "scrypt"

COST, BLOCK, LANES = 2**14, 8, 1
"""scrypt's N, r and p: 16 MB and about 50 ms for each guess (RFC 7914, section 2)."""

_SESSION_SALT = b"catchwater session"


@dataclass(frozen=True, slots=True)
class Hash:
    """What scrypt made of a password: `scrypt:16384:8:1:salt:hash`, both in URL-safe base64."""

    cost: int
    block: int
    lanes: int
    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, password: str) -> Hash:
        salt = secrets.token_bytes(16)
        return cls(COST, BLOCK, LANES, salt, _scrypt(password.encode(), salt, COST, BLOCK, LANES))

    @classmethod
    def parse(cls, text: str) -> Hash:
        """Raises ValueError."""
        _, cost, block, lanes, salt, digest = text.split(":")
        parts = urlsafe_b64decode(salt), urlsafe_b64decode(digest)
        found = cls(int(cost), int(block), int(lanes), *parts)
        found.matches(b"")  # OpenSSL refuses numbers that cannot be
        return found

    def matches(self, given: bytes) -> bool:
        made = _scrypt(given, self.salt, self.cost, self.block, self.lanes)
        return hmac.compare_digest(made, self.digest)

    def __str__(self) -> str:
        parts = (self.salt, self.digest)
        encoded = ":".join(urlsafe_b64encode(part).decode() for part in parts)
        return f"{NAME}:{self.cost}:{self.block}:{self.lanes}:{encoded}"


@dataclass(frozen=True, slots=True)
class Plain:
    """A password as it is. A near miss takes as long as a far one."""

    text: str

    def matches(self, given: bytes) -> bool:
        return hmac.compare_digest(given, self.text.encode())


def parse(setting: str) -> Hash | Plain:
    """What the setting holds. Raises ValueError for a hash that is none."""
    return Hash.parse(setting) if setting.startswith(f"{NAME}:") else Plain(setting)


def session_key(setting: str) -> bytes:
    """What sessions are signed with: the same for all dashboards that have this setting. Another
    password ends all sessions.

    As slow as a guess, so that a session that somebody got does not tell the password.
    """
    return _scrypt(setting.encode(), _SESSION_SALT, COST, BLOCK, LANES)


def _scrypt(password: bytes, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    most = 2 * 128 * cost * block  # bytes: OpenSSL's own bound is just too small
    return hashlib.scrypt(password, salt=salt, n=cost, r=block, p=lanes, maxmem=most, dklen=32)
