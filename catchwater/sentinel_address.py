"""The address of a master that Sentinels watch. Pure."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

SENTINEL = "redis+sentinel://"
SENTINEL_PORT = 26_379


class SentinelAddress(NamedTuple):
    """Where Sentinels are, and the master that they watch."""

    sentinels: list[tuple[str, int]]
    name: str
    db: int
    login: dict[str, str]
    """`username` and `password` of the master, where given."""
    sentinel_login: dict[str, str]
    """Those of the Sentinels themselves."""

    @classmethod
    def parse(cls, url: str) -> SentinelAddress:
        """From `redis+sentinel://user:pass@s1:26379,s2:26379/name/0?sentinel_password=...`.

        Raises ValueError.
        """
        address, _, query = url.removeprefix(SENTINEL).partition("?")
        parts = address.split("/")
        login, _, hosts = parts[0].rpartition("@")
        if len(parts) < 2 or not hosts or not parts[1] or "@" in parts[1]:
            raise ValueError("no Sentinel, or no name of a master")
        user, _, password = login.partition(":")
        return cls(
            [host_and_port(one, SENTINEL_PORT) for one in hosts.split(",")],
            parts[1],
            int(parts[2]) if len(parts) > 2 and parts[2] else 0,
            _login(unquote(user), unquote(password)),
            _sentinel_login(dict(parse_qsl(query, strict_parsing=bool(query)))),
        )


def _sentinel_login(options: dict[str, str]) -> dict[str, str]:
    login = _login(options.pop("sentinel_username", ""), options.pop("sentinel_password", ""))
    if options:
        raise ValueError(f"unknown: {', '.join(options)}")
    return login


def _login(username: str, password: str) -> dict[str, str]:
    names = {"username": username, "password": password}
    return {name: text for name, text in names.items() if text}


def host_and_port(text: str, default: int) -> tuple[str, int]:
    """`a:1` as ("a", 1); without a port, `default`. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if colon and (":" not in host or host.endswith("]")):
        return _named(host), int(port)
    return _named(text), default


def _named(host: str) -> str:
    if not (name := host.strip("[]")):
        raise ValueError("no host")
    return name
