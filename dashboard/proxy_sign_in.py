"""Who is signed in, as a proxy in front says in a header: one that asks an identity provider."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from catchwater.addresses import NONE, TrustedProxies

if TYPE_CHECKING:
    from multidict import MultiMapping

LONGEST = 100
"""Characters of a name."""

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
"""A header's name (RFC 9110, section 5.1)."""


@dataclass(frozen=True, slots=True)
class ProxySignIn:
    """The header that names people, and the networks from which it is believed.

    Who speaks is known by the connection, and by no other header: those anybody can send.
    """

    header: str = ""
    proxies: TrustedProxies = NONE

    @classmethod
    def of(cls, header: str, networks: str) -> ProxySignIn:
        """Raises ValueError. Both are '' where nobody is signed in so."""
        if not header and not networks:
            return cls()
        if not networks:
            raise ValueError(
                f"{header} would name people, and no network is set from which it is believed: set "
                "CATCHWATER_DASHBOARD_SIGN_IN_PROXIES to the proxy's address"
            )
        if not _HEADER.fullmatch(header):
            raise ValueError(
                f"{header!r} is no name of a header: set CATCHWATER_DASHBOARD_SIGN_IN_HEADER to "
                "that in which the proxy names people, such as X-Forwarded-User"
            )
        return cls(header, _networks(networks))

    def __bool__(self) -> bool:
        return self.header != ""

    def name(self, headers: MultiMapping[str], remote: str) -> str:
        """Who is signed in; '' for nobody. Raises HTTPBadRequest for what can be no name."""
        if not self.proxies.trusts(remote):
            return ""
        name = ",".join(headers.getall(self.header, [])).strip()
        if "," in name:
            raise self._refusal("names several people: let the proxy replace it, not add to it")
        if not name.isprintable() or len(name) > LONGEST:
            raise self._refusal(f"is no name: at most {LONGEST} characters can be, in UTF-8")
        return name

    def _refusal(self, why: str) -> web.HTTPException:
        return web.HTTPBadRequest(text=f"The header {self.header} {why}.")


def _networks(text: str) -> TrustedProxies:
    found = TrustedProxies.parse(text)
    if found.count:
        raise ValueError(
            f"{text!r} is a number: name the networks, such as 10.0.0.7 or 10.0.0.0/24"
        )
    if any(one.prefixlen == 0 for one in found.networks):
        raise ValueError(f"{text!r} has every address in it, and so anybody could name themselves")
    return found
