"""Browser, operating system and device out of a user agent, by ua-parser and its maintained
rules.

The library is loaded at the first user agent (34 MB, 0.3 s). One that was not met lately costs 50
microseconds, one of the last 4096 nothing.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from ua_parser import Device, PartialResult

_LONGEST = 500  # characters: no browser sends more, and time grows with length


class Client(NamedTuple):
    """`("Chrome Mobile 156", "Android 14", "Pixel 8")`; '' for what is not known, and for a
    desktop's device.
    """

    browser: str = ""
    os: str = ""
    device: str = ""


@lru_cache(maxsize=4096)
def client(user_agent: str) -> Client:
    if not user_agent:
        return Client()
    found = _parser()(user_agent[:_LONGEST])
    agent, system, device = found.user_agent, found.os, found.device
    return Client(
        _with_version(agent.family, agent.major) if agent else "",
        _with_version(system.family, system.major) if system else "",
        _model(device) if device else "",
    )


def _model(device: Device) -> str:
    """Browsers that hide the model call every Android device `K`."""
    return (
        "Android" if device.brand == "Generic_Android" and device.family == "K" else device.family
    )


def _with_version(family: str, major: str | None) -> str:
    return f"{family} {major}" if major else family


@cache
def _parser() -> Callable[[str], PartialResult]:
    from ua_parser import Domain, parser  # noqa: PLC0415 - 34 MB that `explain` and tests of parsing do without

    return lambda text: parser(text, Domain.ALL)
