"""A notice as an e-mail, by a server that the operator names."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import localtime
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from catchwater.errors import RefusedError, UnavailableError
from sink.notices.posting import TIMEOUT_S

if TYPE_CHECKING:
    from sink.notices.messages import Message

_SCHEMES = ("smtp", "smtps", "smtp+starttls")
_FINAL = 500
"""Answers of a server from here on will be the same later; below, it asks to try again (RFC 5321,
section 4.2.1).
"""


def send_mail(server: str, sender: str, address: str, message: Message, key: str) -> None:
    """`server` as `--smtp` has it. Raises UnavailableError when it may be sent again later,
    RefusedError when not.
    """
    place = _parsed(server)
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = message.title, sender, address
    mail["Date"], mail["Message-ID"] = localtime(), f"<{key}@catchwater>"
    mail["Auto-Submitted"] = "auto-generated"  # nobody's absence note answers it (RFC 3834)
    mail.set_content(message.text)
    try:
        with _connected(place) as connection:
            if place.username:
                connection.login(unquote(place.username), unquote(place.password or ""))
            connection.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        raise _failure(place, error) from error


def _parsed(server: str) -> SplitResult:
    place = urlsplit(server)
    if not place.hostname:
        raise RefusedError("no e-mail server is set: --smtp names one")
    if place.scheme not in _SCHEMES:
        raise RefusedError(f"--smtp begins with {place.scheme}://: write one of {_SCHEMES}")
    if place.scheme == "smtp" and place.username and not _is_of_this_machine(place.hostname):
        raise RefusedError(
            f"the password for {place.hostname} would travel in plain text: write "
            "smtp+starttls:// or smtps:// in --smtp"
        )
    return place


def _connected(place: SplitResult) -> smtplib.SMTP:
    """Certificates are checked, as browsers do; SSL_CERT_FILE names an authority of one's own."""
    host, port, trusted = place.hostname or "", place.port or 0, ssl.create_default_context()
    if place.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=trusted)
    connection = smtplib.SMTP(host, port or (587 if "+" in place.scheme else 25), timeout=TIMEOUT_S)
    if place.scheme == "smtp+starttls":
        try:
            connection.starttls(context=trusted)
        except BaseException:
            connection.close()
            raise
    return connection


def _is_of_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _failure(place: SplitResult, error: Exception) -> RefusedError | UnavailableError:
    """A password that is refused may be mended: it is tried again."""
    codes = []
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    elif isinstance(error, (smtplib.SMTPSenderRefused, smtplib.SMTPDataError)):
        codes = [error.smtp_code]
    if codes and min(codes) >= _FINAL:
        return RefusedError(f"{place.hostname} refuses the e-mail: {error}")
    return UnavailableError(f"no e-mail by {place.hostname}: {error!r}")
