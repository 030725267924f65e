"""A message to a channel, in the form that it takes."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from catchwater.errors import RefusedError
from sink.notices.mail import send_mail
from sink.notices.messages import cut, in_code
from sink.notices.posting import post
from sink.notices.services import send_by_apprise

if TYPE_CHECKING:
    from catchwater.config.notices import Channel
    from sink.notices.messages import Document, Message

_DISCORD_LONGEST = 1_900  # of 2,000 characters


@dataclass(frozen=True, slots=True)
class Ways:
    """How messages leave. `smtp` is smtp://, smtps:// or smtp+starttls:// and
    [user:password@]host[:port], or ''.
    """

    smtp: str = field(default="", repr=False)
    sender: str = "catchwater@localhost"
    private: bool = False


def send(channel: Channel, message: Message, ways: Ways) -> None:
    """Raises UnavailableError when it may be sent again later, RefusedError when not."""
    try:
        _send(channel, message, ways)
    except ValueError:  # from None: it may have a part of the password
        where = "--smtp" if channel.to == "email" else "url in projects.yaml"
        raise RefusedError(
            f"an address for {channel.to} cannot be used: look at its {where}; characters such as "
            "/ in a password are written as %2F"
        ) from None


def _send(channel: Channel, message: Message, ways: Ways) -> None:
    if channel.to == "email":
        send_mail(ways.smtp, ways.sender, channel.address, message, key_of(message))
    elif channel.to == "apprise":
        send_by_apprise(channel.url, message, private=ways.private)
    else:
        _post(channel, message, ways)


def _post(channel: Channel, message: Message, ways: Ways) -> None:
    body = _body(channel, message)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "catchwater",
        "Idempotency-Key": key_of(message),
    }
    if channel.secret:
        headers["X-Catchwater-Signature"] = signature(channel.secret, body, int(time.time()))
    post(channel.url, body, headers, private=ways.private)


def key_of(message: Message) -> str:
    """The same for every try of one notice: who has it already may leave out the second."""
    return hashlib.blake2b(message.id.encode(), digest_size=16).hexdigest()


def signature(secret: str, body: bytes, at: int) -> str:
    """`t=1790000000,v1=<hex>`: HMAC-SHA256 of `<t>.<body>`; the time bounds a replay."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"


def _body(channel: Channel, message: Message) -> bytes:
    if channel.to == "slack":
        return orjson.dumps({"text": _for_slack(f"*{in_code(message.title)}*\n{message.text}")})
    if channel.to == "discord":
        text = cut(f"**{in_code(message.title)}**\n{message.text}", _DISCORD_LONGEST)
        return orjson.dumps({"content": text, "allowed_mentions": {"parse": []}})
    if channel.to == "teams":
        return orjson.dumps(_card(message))
    whole = {"id": key_of(message), "title": message.title, "text": message.text}
    return orjson.dumps(whole | message.data)


def _for_slack(text: str) -> str:
    """Its three control characters as text: no mention, no link of a stranger's."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _card(message: Message) -> Document:
    """An adaptive card for Teams. What text runs have is no Markdown, so it is no link, no image
    and no mention.
    """
    url = message.data.get("url", "")
    lines = [
        one.replace("`", "") for one in message.text.split("\n") if one not in ("```", url, "")
    ]
    runs = [{"text": message.title, "weight": "bolder", "size": "medium"}]
    runs += [{"text": one, "fontType": "monospace", "size": "small"} for one in lines]
    body = [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", **one}]} for one in runs]
    opens = [{"type": "Action.OpenUrl", "title": "Open", "url": url}] if url else []
    content = {"type": "AdaptiveCard", "version": "1.4", "body": body, "actions": opens}
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": content}]}
