"""The address of a browser behind proxies that are trusted. Pure.

Each proxy appends whom it heard from to X-Forwarded-For; what stands before that may be anybody's
invention. So the list is read from its end: past the trusted proxies stands the browser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from multidict import MultiMapping

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MOST_PROXIES = 10

LONGEST = 64
"""Characters of an address that is none, which is kept as it is."""

_FOR = re.compile(r"for=\"?([^\s\",;]+)", re.IGNORECASE)
"""One hop of a Forwarded header (RFC 7239, section 5.2)."""


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """So many in a row, or those of these networks. None: what they say is not believed."""

    count: int = 0
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> TrustedProxies:
        """`2`, or `10.0.0.0/8, 127.0.0.1`. Raises ValueError."""
        if text.strip().isdecimal():
            if int(text) > MOST_PROXIES:
                raise ValueError(f"at most {MOST_PROXIES} proxies can stand in a row")
            return cls(count=int(text))
        return cls(networks=tuple(ip_network(one.strip()) for one in text.split(",")))

    def __bool__(self) -> bool:
        return bool(self.count or self.networks)

    def client(self, headers: MultiMapping[str], remote: str) -> str:
        """Whose request it is: `remote` is who is connected."""
        if not self:
            return remote
        hops = [*_named(headers), remote]
        if self.networks:
            return next((one for one in reversed(hops) if not self.trusts(one)), hops[0])
        return hops[max(0, len(hops) - 1 - self.count)]

    def trusts(self, hop: str) -> bool:
        """Whether an address lies in one of the networks."""
        try:
            address = ip_address(hop)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self.networks)


NONE = TrustedProxies()


def _named(headers: MultiMapping[str]) -> Iterator[str]:
    """Whom the proxies heard from, the one nearest to us last. Some add a line of their own."""
    if forwarded := headers.getall("X-Forwarded-For", []):
        found = ",".join(forwarded).split(",")
    elif forwarded := headers.getall("Forwarded", []):
        found = _FOR.findall(",".join(forwarded))
    else:
        found = [headers.get("X-Real-IP", "")]
    return (hop for one in found if (hop := without_port(one.strip())))


def without_port(text: str) -> str:
    """`192.0.2.1` of `192.0.2.1:443`, `2001:db8::1` of `[2001:db8::1]:443`."""
    if text.startswith("["):
        return text[1:].partition("]")[0][:LONGEST]
    head, colon, port = text.rpartition(":")
    only_one = colon and ":" not in head and port.isdecimal()
    return (head if only_one else text)[:LONGEST]
