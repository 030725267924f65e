"""E-mail through a real SMTP server, with and without TLS."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from catchwater.config.notices import Channel
from catchwater.errors import RefusedError, UnavailableError
from catchwater.local.servers import free_port
from sink.notices.channels import Ways, key_of, send
from sink.notices.messages import Message, of_issue
from tests.notices.receiver import Receiver

if TYPE_CHECKING:
    from pathlib import Path

    from aiosmtpd.smtp import SMTP, Envelope, LoginPassword, Session

TO = Channel.model_validate({"to": "email", "address": "team@shop.example"})
NAMES = ("localhost", "127.0.0.1")


class Mailbox:
    """What a server has taken, and how."""

    def __init__(self) -> None:
        self.got: list[tuple[Envelope, bool]] = []
        self.answer = "250 OK"
        self.passwords: list[bytes] = []

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.got.append((envelope, session.ssl is not None))
        return self.answer

    async def handle_RCPT(  # noqa: N802 - the library's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if not address.startswith("team@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def authenticate(self, *given: Any) -> AuthResult:
        login: LoginPassword = given[-1]
        self.passwords.append(login.password)
        return AuthResult(success=login.password == b"p@ss/wort", handled=False)

    def mail(self) -> Any:
        envelope, _ = self.got[-1]
        return message_from_bytes(envelope.original_content or b"", policy=policy.default)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox, tls: ssl.SSLContext) -> Iterator[Callable[..., int]]:
    """Starts servers; each returns its port."""
    with ExitStack() as running:

        def start(kind: str) -> int:
            how: dict[str, dict[str, Any]] = {
                "smtp": {"auth_require_tls": False},
                "smtps": {"ssl_context": tls, "auth_require_tls": False},
                "smtp+starttls": {"tls_context": tls, "require_starttls": True},
            }
            one = Controller(
                mailbox,
                hostname="127.0.0.1",
                port=free_port(),
                authenticator=mailbox.authenticate,
                **how[kind],
            )
            one.start()
            running.callback(one.stop)
            return int(one.port)

        yield start


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's certificate, and the one who signed it is trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*NAMES).configure_cert(context)
    return context


def message() -> Message:
    notice = {"_id": "new:1:v1:a@c", "kind": "new", "project": "1"}
    issue = {"_id": "1:v1:a", "type": "Error", "message": "ünïcode\r\nBcc: x@y.example"}
    return of_issue(notice, issue, None, "Tea shop", "https://errors.example")


@pytest.mark.parametrize("kind", ["smtp", "smtps", "smtp+starttls"])
@pytest.mark.parametrize("user", ["", "me:p%40ss%2Fwort@"])
def test_an_email_arrives_as_it_was_meant(kind, user, server, mailbox):
    send(TO, message(), Ways(f"{kind}://{user}127.0.0.1:{server(kind)}", "cw@shop.example"))
    (envelope, upgraded), mail = mailbox.got[0], mailbox.mail()
    assert upgraded is (kind == "smtp+starttls"), "one of smtps speaks nothing but TLS"
    assert mailbox.passwords == ([b"p@ss/wort"] if user else [])
    assert (envelope.mail_from, envelope.rcpt_tos) == ("cw@shop.example", ["team@shop.example"])
    assert mail["Subject"] == message().title
    assert "ünïcode" in mail["Subject"]
    assert mail["Bcc"] is None
    assert mail["Message-ID"] == f"<{key_of(message())}@catchwater>"
    assert mail["Date"].datetime.tzinfo is not None
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "https://errors.example/issues/1:v1:a" in mail.get_content()


@pytest.mark.parametrize("kind", ["smtps", "smtp+starttls"])
def test_a_certificate_that_nobody_vouches_for_gets_no_password(kind, server, mailbox, monkeypatch):
    ways = Ways(f"{kind}://me:p%40ss%2Fwort@127.0.0.1:{server(kind)}")
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    with pytest.raises(UnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
        send(TO, message(), ways)
    assert mailbox.passwords == []


def test_a_password_never_travels_in_plain_text():
    with pytest.raises(RefusedError, match="write smtp\\+starttls://") as refused:
        send(TO, message(), Ways("smtp://me:secret@mail.example:587"))
    assert "secret" not in str(refused.value)
    with pytest.raises(RefusedError, match="begins with http://"):
        send(TO, message(), Ways("http://mail.example"))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("451 greylisted, try again", UnavailableError),
        ("552 mailbox is full", RefusedError),
    ],
)
def test_what_may_be_taken_later_is_sent_later(answer, error, server, mailbox):
    mailbox.answer = answer
    with pytest.raises(error, match=answer.split()[1]):
        send(TO, message(), Ways(f"smtp://127.0.0.1:{server('smtp')}"))


def test_an_address_that_nobody_has_is_not_tried_again(server):
    other = Channel.model_validate({"to": "email", "address": "nobody@shop.example"})
    with pytest.raises(RefusedError, match="no such user"):
        send(other, message(), Ways(f"smtp://127.0.0.1:{server('smtp')}"))


def test_a_wrong_password_may_be_mended(server, mailbox):
    with pytest.raises(UnavailableError, match="535"):
        send(TO, message(), Ways(f"smtps://me:wrong@127.0.0.1:{server('smtps')}"))
    assert mailbox.got == []


def test_a_service_that_apprise_knows_is_told(receiver: Receiver):
    url = receiver.url.replace("http://", "json://")
    to = Channel.model_validate({"to": "apprise", "url": url})
    with pytest.raises(RefusedError, match="names a host"):
        send(to, message(), Ways())
    send(to, message(), Ways(private=True))
    (got,) = receiver.got
    said = [got.json[name].replace("\u2060", "") for name in ("title", "message")]
    assert said == [message().title, message().text]
    receiver.status = 500
    with pytest.raises(UnavailableError, match="could not send it by json://"):
        send(to, message(), Ways(private=True))


def test_a_service_that_nobody_knows_is_refused_without_its_secrets():
    to = Channel.model_validate({"to": "apprise", "url": "fax://s3cret-token/12345"})
    with pytest.raises(RefusedError, match="knows no service fax://") as refused:
        send(to, message(), Ways())
    assert "s3cret" not in str(refused.value)
