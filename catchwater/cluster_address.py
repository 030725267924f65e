"""The address of a Redis Cluster. Pure."""

from __future__ import annotations

from typing import NamedTuple

from catchwater.sentinel_address import host_and_port

CLUSTER = ("redis+cluster://", "rediss+cluster://")
NODE_PORT = 6379


class ClusterAddress(NamedTuple):
    """Where some nodes of a cluster are; they name the others."""

    url: str
    """The first node, as redis-py writes it, with the login and the options of all."""
    others: list[tuple[str, int]]

    @classmethod
    def parse(cls, url: str) -> ClusterAddress:
        """From `redis+cluster://user:pass@n1:6379,n2:6379`; with `rediss`, all over TLS.

        Raises ValueError.
        """
        scheme, _, rest = url.partition("+cluster://")
        address, question, options = rest.partition("?")
        place, slash, database = address.partition("/")
        login, at, hosts = place.rpartition("@")
        if not hosts or "@" in hosts or database not in ("", "0"):
            raise ValueError("no node, or a database other than 0")
        first, *others = hosts.split(",")
        host_and_port(first, NODE_PORT)
        return cls(
            f"{scheme}://{login}{at}{first}{slash}{database}{question}{options}",
            [host_and_port(one, NODE_PORT) for one in others],
        )

    def node(self, host: str, port: int) -> str:
        """The address of one node, with the same login and options."""
        scheme, _, rest = self.url.partition("://")
        place, question, options = rest.partition("?")
        login, at, _ = place.partition("/")[0].rpartition("@")
        name = f"[{host}]" if ":" in host else host
        return f"{scheme}://{login}{at}{name}:{port}/0{question}{options}"
