"""Which names of fields, headers and parameters hold secrets."""

from __future__ import annotations

import re
from functools import lru_cache

_WHOLE = frozenset(
    {
        "token",
        "tokens",
        "pwd",
        "pw",
        "auth",
        "session",
        "sid",
        "pin",
        "iban",
        "jwt",
        "bearer",
        "sig",
        "signature",
        "otp",
        "cookie",
        "cookies",
        "setcookie",
        "sessid",
        "phpsessid",
        "jsessionid",
        "ssn",
        "cvv",
        "cvc",
        "authkey",
        "xauth",
        "awsaccesskeyid",
        "xamzsignature",
        "xamzsecuritytoken",
        "xamzcredential",
        "xgoogsignature",
        "xgoogcredential",
    }
)
_PARTS = (
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "authtoken",
    "securitytoken",
    "sessiontoken",
    "csrftoken",
    "xsrftoken",
    "privatekey",
    "secretkey",
    "accesskey",
    "authorization",
    "sessionid",
    "csrfmiddlewaretoken",
    "creditcard",
    "cardnumber",
    "credential",
    "clientsecret",
)
_OTHER = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Whether a field of that name holds a secret:

    `X-Api-Key`, `userPassword`, `session_id`; not `author`.
    """
    plain = _OTHER.sub("", name[:100].lower())
    return (
        plain in _WHOLE
        or plain.endswith(("secret", "passwort"))
        or any(part in plain for part in _PARTS)
    )
