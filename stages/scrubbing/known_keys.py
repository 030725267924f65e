"""Keys of services whose form is known. The forms come from GitHub's list of supported secret
scanning patterns and from the services' own pages.

Never raises; linear in the text's length.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import partial

from stages.scrubbing.marking import marked

_FORMS = (
    r"eyJ[\w-]{8,}(?:\.|%2[Ee])[\w-]{4,}(?:(?:\.|%2[Ee])[\w-]*)?",  # JWT
    r"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}",  # AWS
    r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{40,}",
    r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt|oas|ffct)-[\w-]{16,}",
    r"[srp]k_(?:live|test|prod)_\w{10,}|whsec_[\w+/=]{16,}",  # Stripe
    r"AIza[\w-]{35}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}|1//0[\w-]{30,}",  # Google
    r"xox[abceprs]-[\w-]{10,}|xapp-\d-[\w-]{20,}|xoxe\.[\w.-]{20,}",  # Slack
    r"SG\.[\w-]{16,}\.[\w-]{16,}",
    r"npm_[A-Za-z0-9]{36}|pypi-AgE[\w-]{16,}|rubygems_[0-9a-f]{32,}|cio[A-Za-z0-9]{32}(?!\w)",
    r"dckr_(?:pat|oat)_[\w-]{20,}|oy2[a-z0-9]{43}",
    r"sk-(?=[\w-]{0,60}\d)(?=[\w-]{0,60}[A-Z])[\w-]{20,}",  # OpenAI, Anthropic
    r"(?:hf|r8|gsk|fw)_[A-Za-z0-9]{24,}|(?:pplx|xai)-[A-Za-z0-9]{40,}|nvapi-[\w-]{40,}",
    r"(?:SK|AC)[0-9a-f]{32}",  # Twilio
    r"do[opr]_v1_[0-9a-f]{40,}",  # DigitalOcean
    r"shp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{20,}|EAAA[\w-]{40,}|sq0[a-z]{3}-[\w-]{20,}",
    r"key-[0-9a-f]{32}|[0-9a-f]{32}-us\d{1,2}|xkeysib-[0-9a-f]{32,}[\w-]*",  # mail
    r"re_[A-Za-z0-9]{6,10}_[A-Za-z0-9]{18,}",  # Resend
    r"(?:ntn|secret|lin_api|lin_oauth|sbp)_[A-Za-z0-9]{30,}|(?:figd|figu|sb_secret)_[\w-]{20,}",
    r"pscale_(?:tkn|pw|oauth)_[\w-]{20,}|tgp_v1_[\w-]{30,}",
    r"dapi[0-9a-f]{32}|dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{20,}|hv[sbr]\.[\w-]{20,}",
    r"gl(?:sa|c)_[\w=+/-]{20,}|NR(?:AK|JS|RA|II)-[\w-]{16,}|PMAK-[\w-]{20,}|ddp_\w{30,}",
    r"sntr[yu]s?_[\w=+/-]{30,}|AT[AC]TT3[\w=-]{20,}|ATBB\w{20,}",
    r"EAA[A-Z][A-Za-z0-9]{30,}|AGE-SECRET-KEY-1[0-9A-Z]{20,}|pat[A-Za-z0-9]{14}\.[0-9a-f]{40,}",
    r"\d{8,10}:AA[\w-]{32,35}|[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,}",  # Telegram, Discord
    r"access-(?:sandbox|development|production)-[0-9a-f-]{30,}|sl\.[\w-]{60,}",
    r"v1\.0-[0-9a-f]{24}-[0-9a-f]{64,}",  # Cloudflare
    r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w/-]{10,}",
    r"discord(?:app)?\.com/api/webhooks/[\w/-]{10,}",
    r"[\w-]{1,40}\.webhook\.office\.com/[\w@/-]{20,}",
)
_KEYS = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_FORMS)})")
SHORTEST = 16
"""Characters of the shortest key."""

_SCHEME = re.compile(r"\b([Bb]earer|BEARER|[Bb]asic|BASIC|[Tt]oken)\s{1,3}([\w.~+/=-]{12,4000})")


def hide(text: str, found: Counter[str]) -> str:
    """`text` with `[token]` for keys and credentials. `found` counts them."""
    if len(text) >= SHORTEST:
        text = marked(_KEYS, "[token]", "token", text, found)
    if " " in text and (
        "asic" in text or "earer" in text or "oken" in text or "BEARER" in text or "BASIC" in text
    ):
        text = _SCHEME.sub(partial(_authorized, found), text)
    return text


def _authorized(found: Counter[str], match: re.Match[str]) -> str:
    """`Bearer abc123…`; but "token authentication" and "basic requirements" are words."""
    if not (any(map(str.isdigit, match[2])) or match[2].endswith("=")):
        return match[0]
    found["token"] += 1
    return f"{match[1]} [token]"
