"""Wrong passwords: whoever sends some has to wait before the next one is looked at. Pure."""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

FREE = 5
"""Wrong passwords of an address without a wait: people mistype."""

LONGEST_S = 60.0
"""A wait doubles with each further wrong one, up to this."""

FORGET_S = 3600.0

MOST_ADDRESSES = 10_000
"""Addresses that are remembered; the one that was silent for longest is forgotten first."""


class Guesses:
    """How often each address was wrong lately. Behind a proxy that is not trusted all have the
    proxy's; and whoever has one of IPv6 has the 2**64 of its network (RFC 4291, section 2.5.4).
    """

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, address: str, now: float) -> float:
        """Seconds from the monotonic time `now` until a password of this address is looked at."""
        count, at = self._wrong.get(_network(address), (0, now))
        if count <= FREE or now - at > FORGET_S:
            return 0.0
        return max(0.0, at + min(LONGEST_S, 2.0 ** (count - FREE - 1)) - now)

    def wrong(self, address: str, now: float) -> None:
        address = _network(address)
        count, at = self._wrong.pop(address, (0, now))
        self._wrong[address] = (1 if now - at > FORGET_S else count + 1, now)
        if len(self._wrong) > MOST_ADDRESSES:
            self._wrong.popitem(last=False)

    def right(self, address: str) -> None:
        self._wrong.pop(_network(address), None)


def _network(address: str) -> str:
    """What stands for everybody who has this address."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
