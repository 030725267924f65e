"""Which content coding a client wants (RFC 9110, 12.5.3). Pure."""

from __future__ import annotations

import re

OURS = ("br", "gzip", "identity")
"""The encodings that scripts are served in; the first of those that a client prefers equally."""

_WEIGHT = re.compile(r"[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*", re.IGNORECASE)
_SAME = {"x-gzip": "gzip"}


def chosen(accepted: str | None) -> str | None:
    """One of OURS for an Accept-Encoding of `accepted`; none if the client refuses even what is
    not packed.

    Without the header nothing is packed: who does not say what it can unpack may be unable to.
    """
    weights = _weights(accepted or "")
    rest = weights.get("*", 0.0)
    liked = {coding: weights.get(coding, rest) for coding in OURS}
    if (
        "identity" not in weights and "*" not in weights
    ):  # it may always be sent, and what is named comes first
        liked["identity"] = 0.0001
    best = max(OURS, key=lambda coding: liked[coding])
    return best if liked[best] > 0 else None


def _weights(accepted: str) -> dict[str, float]:
    """How much each coding is wanted. One whose weight cannot be read is not wanted."""
    found = {}
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if name := coding.strip():
            found[_SAME.get(name, name)] = _weight(weight)
    return found


def _weight(text: str) -> float:
    if not text.strip():
        return 1.0
    read = _WEIGHT.fullmatch(text)
    return float(read[1]) if read else 0.0
