"""Whether browsers are really served the script that a printed tag names."""

from __future__ import annotations

import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING

from ingest import snippet

if TYPE_CHECKING:
    from ingest.tags import Page

SECONDS = 10.0


def trouble(page: Page) -> str:
    """What is wrong with the address of the immutable script, and the next step; '' if it is
    served to the byte.
    """
    expected = page.script()
    address = page.address + snippet.path(page.key, digest=expected.digest)
    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:  # noqa: S310 - http or https, see addresses
            found, cache_control = answer.read(1_000_000), answer.headers.get("Cache-Control", "")
    except (OSError, HTTPException) as error:
        return (
            f"{address} cannot be fetched: {error}. Does the address lead to ingest, and is "
            f"the project known to it?"
        )
    if found != expected.bodies["identity"]:
        return f"{address} answers another script: {_why(found, page)}"
    if "immutable" not in cache_control:
        return (
            f"{address} is the right script, but Cache-Control is {cache_control!r}: does a proxy "
            f"between change it?"
        )
    return ""


def _why(found: bytes, page: Page) -> str:
    if f'"{page.address}/e/{page.key}"'.encode() not in found:
        return (
            f"it does not report to {page.address}. Start ingest with --public-url {page.address}"
        )
    return "another version of Catchwater runs there, or something between rewrites scripts"
