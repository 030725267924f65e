from __future__ import annotations

import hashlib
import hmac
import re
import socket
import zlib
from pathlib import Path

import orjson
import pytest
import yaml
from click.testing import CliRunner
from pydantic import ValidationError

from catchwater.commands.cli import catchwater
from catchwater.config.notices import Channel, Notices
from catchwater.errors import RefusedError, UnavailableError
from sink.notices import posting
from sink.notices.channels import Ways, send
from sink.notices.messages import Message, cut, of_issue
from tests.notices.conftest import KEY
from tests.notices.receiver import Receiver

HOSTILE = {
    "_id": "1:v1:a",
    "type": "Error",
    "message": "`<!channel>` @everyone [log in](https://evil.example)\nBcc: x@y.example",
}
PRIVATE = Ways(private=True)


def message() -> Message:
    notice = {"_id": "new:1:v1:a@c", "kind": "new", "project": "1"}
    return of_issue(notice, HOSTILE, None, "Tea shop", "https://errors.example")


def channel(to: str, url: str, **more: object) -> Channel:
    return Channel.model_validate({"to": to, "url": url, **more})


def test_a_webhook_is_signed_and_has_a_key(receiver: Receiver):
    for _ in range(2):
        send(channel("webhook", receiver.url + "?a=1", secret="s3cret"), message(), PRIVATE)
    first, second = receiver.got
    assert first.path == "/hook?a=1"
    time, signed = first.headers["X-Catchwater-Signature"].split(",")
    body = time.removeprefix("t=").encode() + b"." + first.body
    assert signed == "v1=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert first.json["issue"] == "1:v1:a"


def test_a_strangers_text_is_no_mention_and_no_link(receiver: Receiver):
    for to in ("slack", "discord"):
        send(channel(to, receiver.url), message(), PRIVATE)
    slack, discord = (one.json for one in receiver.got)
    assert "<" not in slack["text"]
    assert discord["allowed_mentions"] == {"parse": []}
    for text in (slack["text"], discord["content"]):
        outside = "".join(re.split(r"`+[^`]*`+", text))
        assert "Error" not in outside
        assert "evil.example" not in outside
    assert "\n" not in message().title


def long_message() -> Message:
    """Longer than Discord takes, by what a stranger can send."""
    link = "[log in](https://evil.example) @everyone <!channel> "
    frame = {"function": f"```{link}", "file": link * 9, "line": 3}
    event = {"frames": [frame] * 20, "release": link * 9, "page": f"`{link}" * 9}
    sample = {"event": zlib.compress(orjson.dumps(event))}
    notice = {"_id": "new:1:v1:a@c", "kind": "new", "project": "1", "release": link * 9}
    return of_issue(notice, HOSTILE | {"count": 3}, sample, "Tea shop", "https://errors.example")


def test_what_is_cut_ends_its_code_and_has_its_link(receiver: Receiver):
    """A block without an end is none: the links in it were links then."""
    send(channel("discord", receiver.url), long_message(), PRIVATE)
    (text,) = (one.json["content"] for one in receiver.got)
    assert 1_000 < len(text) <= 1_900
    assert text.endswith("\n```\nhttps://errors.example/issues/1:v1:a")
    outside = "".join(re.split(r"```\n.*\n```|`[^`\n]+`", text, flags=re.DOTALL))
    assert "`" not in outside
    assert "evil.example" not in outside


@pytest.mark.parametrize("longest", range(20, 400, 7))
def test_wherever_it_is_cut_it_is_markdown_of_whole_lines(longest: int):
    lines = ["**`title`**", "- page: `x y`", "```", *["    at `f` (a.js)".replace("`", "'")] * 20]
    for last in ("https://errors.example/1", "```"):
        whole = "\n".join([*lines, *([] if last == "```" else ["```"]), last])
        found = cut(whole, longest).split("\n")
        assert len("\n".join(found)) <= max(longest, len(last) + 4)
        assert set(found) <= {*lines, "```", last}
        assert found.count("```") % 2 == 0
        assert found[-1] == last or found.count("```") == 0


def test_in_teams_nothing_is_markdown(receiver: Receiver):
    """A title of a card was: a stranger's link stood in it, and a picture was loaded."""
    for one in (message(), long_message()):
        send(channel("teams", receiver.url), one, PRIVATE)
    for got, sent in zip(receiver.got, (message(), long_message()), strict=True):
        (attached,) = got.json["attachments"]
        card = attached["content"]
        assert {one["type"] for one in card["body"]} == {"RichTextBlock"}
        runs = [run for one in card["body"] for run in one["inlines"]]
        assert {one["type"] for one in runs} == {"TextRun"}
        assert not any("selectAction" in one for one in runs)
        assert runs[0]["text"] == sent.title
        assert card["actions"] == [
            {"type": "Action.OpenUrl", "title": "Open", "url": sent.data["url"]}
        ]
        assert len(got.body) < 28_000, "Teams takes no more"


def test_of_apprise_no_service_takes_it_as_markup(receiver: Receiver):
    """Some give a title to Discord or Slack as it is, where `@everyone` calls everyone."""
    url = receiver.url.replace("http://", "json://")
    for one in (message(), long_message()):
        send(channel("apprise", url), one, PRIVATE)
    for got in receiver.got:
        for text in (got.json["title"], got.json["message"]):
            assert not re.search(r"@\w|<[!@#\w/]|\]\(", text)
    assert "@\u2060everyone" in receiver.got[0].json["title"]


S3CRET = "Pl4nted"


@pytest.mark.parametrize(
    ("to", "url", "smtp"),
    [
        ("slack", f"https://hooks.example:port/{S3CRET}", ""),
        ("slack", f"https://a..b/{S3CRET}", ""),
        ("webhook", f"https://[a/{S3CRET}", ""),
        ("webhook", f"https://joe:a/{S3CRET}@127.0.0.1", ""),
        ("email", "", f"smtp+starttls://joe:{S3CRET}/x@127.0.0.1"),
        ("email", "", f"smtps://joe:{S3CRET}@a..b"),
        ("email", "", f"smtps://joe:{S3CRET}@[a"),
    ],
)
def test_an_address_that_is_none_is_refused_and_not_shown(to, url, smtp):
    address = {"address": "a@b.example"} if to == "email" else {}
    with pytest.raises(RefusedError, match="cannot be used") as caught:
        send(channel(to, url, **address), message(), Ways(smtp, private=True))
    assert S3CRET not in str(caught.value)
    assert S3CRET not in repr(Ways(smtp))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.1.2.3",
        "169.254.169.254",
        "[::1]",
        "0.0.0.0",
        "[::ffff:10.0.0.1]",
    ],
)
def test_no_notice_goes_into_the_own_network(host: str):
    with pytest.raises(RefusedError, match="no public address"):
        send(channel("webhook", f"http://{host}:9/"), message(), Ways())


def test_what_a_name_said_when_it_was_checked_is_what_is_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    """A name that is public at the first look and private at the second."""
    asked = []

    def answers(host: str, port: int, *_: object, **__: object) -> list[tuple]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(posting.socket, "getaddrinfo", answers)
    port = receiver.url.split(":")[2].split("/")[0]
    with pytest.raises(RefusedError, match="no public address"):
        send(channel("webhook", f"http://rebind.example:{port}/"), message(), Ways())
    assert receiver.got == []


def test_a_receiver_that_is_not_there_is_tried_again_later():
    with pytest.raises(UnavailableError, match="cannot be reached"):
        send(channel("webhook", "http://127.0.0.1:9/"), message(), PRIVATE)
    mail = Channel.model_validate({"to": "email", "address": "a@b.example"})
    with pytest.raises(UnavailableError, match="no e-mail by"):
        send(mail, message(), Ways("smtp://127.0.0.1:9"))
    with pytest.raises(RefusedError, match="--smtp names one"):
        send(mail, message(), Ways())


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": "fax", "url": "https://a.example"},
        {"to": "slack"},
        {"to": "slack", "url": "ftp://a.example"},
        {"to": "email", "url": "https://a.example"},
        {"to": "email", "address": "a@b.example, c@d.example"},
        {"to": "slack", "url": "https://a.example", "secret": "x"},
    ],
)
def test_a_channel_that_cannot_be_is_refused(wrong: dict):
    with pytest.raises(ValidationError):
        Channel.model_validate(wrong)
    with pytest.raises(ValidationError):
        Notices.model_validate({"quiet": "22-7"})


def test_a_notice_can_be_tried(receiver: Receiver, tmp_path: Path):
    hook = {"to": "webhook", "url": receiver.url}
    project = {"id": "7", "name": "shop", "key": KEY, "notices": {"channels": [hook]}}
    (tmp_path / "p.yaml").write_text(yaml.safe_dump({"projects": [project]}))
    given = ["notify", "--projects", str(tmp_path / "p.yaml")]
    done = CliRunner().invoke(catchwater, [*given, "--allow-private", "test", "7"])
    assert (done.exit_code, done.stdout) == (0, "webhook: sent\n")
    assert receiver.titles == ["A test of this channel of shop"]
    refused = CliRunner().invoke(catchwater, [*given, "test", "7"])
    assert refused.exit_code == 1
    assert "no public address" in refused.output
    assert CliRunner().invoke(catchwater, [*given, "test", "8"]).exit_code == 2
