"""A notice to one of the many services that the library apprise speaks to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catchwater.errors import RefusedError, UnavailableError
from sink.notices.messages import inert

if TYPE_CHECKING:
    from sink.notices.messages import Message


def send_by_apprise(url: str, message: Message, *, private: bool) -> None:
    """`url` as apprise's documentation has it: tgram://..., pagerduty://...

    Services whose address names a host of one's own are for `private` only: apprise connects to
    whatever it names. Raises UnavailableError when it may be sent again later, RefusedError when
    not. Neither says the address: there are secrets in it.
    """
    from apprise import Apprise, NotifyFormat  # noqa: PLC0415 - 15 MB, for whoever needs it

    schema = url.partition("://")[0]
    service = Apprise.instantiate(url)
    if service is None:
        raise RefusedError(
            f"apprise knows no service {schema}://, or its address lacks something: see "
            "https://appriseit.com/services/"
        )
    if not private and "host" in service.template_tokens:
        raise RefusedError(
            f"{schema}:// names a host, which may have no public address: --allow-private allows it"
        )
    to = Apprise()
    to.add(service)
    text, title = inert(message.text), inert(message.title)
    if not to.notify(text, title, body_format=NotifyFormat.TEXT):
        raise UnavailableError(f"apprise could not send it by {schema}://")
