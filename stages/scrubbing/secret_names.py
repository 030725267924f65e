"""Which names of fields, headers and parameters hold secrets.

What a name is about, its last word says: `reset_token` is a token, `token_type` a type. So words
that only say which one (`new_password_2`, `tokenValue`) are taken off the end before.
"""

from __future__ import annotations

import re
from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_WHICH_ONE = _words(
    "again base64 confirm confirmation confirmed current data digest encoded encrypted field hash"
    " hashed header id input me new old param plain raw repeat repeated salt str text value"
)
"""Words at the end that do not change what the name is about."""

_SECRETS = _words(
    "auth authentication authorization bearer clearance cookie credential credentials csrf cvc cvn"
    " cvv iban jsessionid jwt kennwort mnemonic otp passcode passphrase passwd passwort password"
    " phpsessid pwd samlresponse secret secrets sess session sessid sid ssn token totp xsrf"
)
"""A name whose last word is one of these holds a secret, whatever stands before."""

_ALONE = _words("cookies pass pin pw remember setcookie sig signature")
"""A name that is only this word."""

_QUALIFIED = {
    "key": _words(
        "access account admin aes api app auth client consumer deploy encryption functions gpg hmac"
        " host license master pgp private rsa secret server service session shared signing ssh sso"
        " storage subscription webhook write"
    ),
    "code": _words(
        "2fa access activation auth authorization backup confirmation factor login mfa one otp"
        " pairing pin recovery reset security sms tfa totp verification"
    ),
    "number": _words("account bank card cc credit creditcard iban insurance pan passport ssn"),
    "pass": _words("admin db ftp login mail my mysql one root smtp ssh time user wifi"),
    "pin": _words("card login my security sim user"),
    "signature": _words("amz goog hub request stripe url webhook"),
    "card": _words("bank credit debit"),
    "string": _words("connection"),
    "phrase": _words("pass recovery secret seed"),
    "words": _words("recovery seed"),
    "link": _words("magic reset"),
    "in": _words("logged"),
}
"""Last words that hold a secret after one of these."""

_HARMLESS = {
    "token": _words("continuation css cursor design last next page pagination syntax unexpected")
}
"""And that hold none after one of these."""

_QUESTIONS = _words("forgot has hide is needs requires show")
"""First words of names that hold a yes or no."""

_RUN_TOGETHER = (
    "accesskey",
    "accesstoken",
    "accountkey",
    "apikey",
    "apitoken",
    "authcode",
    "authkey",
    "authtoken",
    "awsaccesskeyid",
    "cardnumber",
    "clientsecret",
    "connectionstring",
    "creditcard",
    "csrfmiddlewaretoken",
    "csrftoken",
    "idtoken",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "refreshtoken",
    "secretkey",
    "securitytoken",
    "sessionid",
    "sessiontoken",
    "signingkey",
    "usertoken",
    "xamzcredential",
    "xgoogcredential",
    "xsrftoken",
    "secret",
    "passwort",
)
"""Ends of names that are written without anything between the words."""


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Whether a field of that name holds a secret:

    `X-Api-Key`, `userPassword`, `session_id`; not `author`, not `passwordStrength`.
    """
    words = [word.lower() for word in _WORD.findall(name[:100])]
    while len(words) > 1 and (words[-1] in _WHICH_ONE or words[-1].isdigit()):
        words.pop()
    if not words or (len(words) > 1 and words[0] in _QUESTIONS):
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if before in _HARMLESS.get(last, ()):
        return False
    return (
        last in _SECRETS
        or before in _QUALIFIED.get(last, ())
        or (not before and last in _ALONE)
        or "".join(words).endswith(_RUN_TOGETHER)
    )
