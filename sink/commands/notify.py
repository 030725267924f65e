"""`catchwater notify`: tells people of issues, as the projects' `notices` say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
import structlog

from catchwater import service
from catchwater.commands import options
from catchwater.commands.box import finds_box
from catchwater.commands.printing import say
from catchwater.config.projects import load, load_if_there
from catchwater.config.reloading import Reloading
from catchwater.errors import CatchwaterError, UnavailableError
from sink.notices import messages
from sink.notices.channels import Ways, send
from sink.notices.notifier import Notifier
from sink.notices.store import NoticeStore

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event as Flag

log = structlog.get_logger()


@click.group("notify", invoke_without_command=True)
@options.mongo_url
@options.projects
@options.setting(
    "--smtp",
    default="",
    help="For e-mail: smtp+starttls://user:password@host:port, smtps://, or smtp:// without TLS.",
)
@options.setting("--mail-from", default="catchwater@localhost", help="The sender of e-mail.")
@options.setting(
    "--dashboard-url", default="", help="How people reach the dashboard: notices link to it."
)
@options.setting(
    "--allow-private", is_flag=True, help="Notices may go to addresses that are not public."
)
@options.setting(
    "--every", type=click.FloatRange(0.05, 60), default=2.0, help="Seconds from a look to the next."
)
@options.setting(
    "--lease",
    type=click.FloatRange(1, 3600),
    default=60.0,
    help="Seconds after which a notice that was claimed and not marked as sent is sent again.",
)
@options.ops_host
@options.ops_port
@options.log_level
@finds_box
@click.pass_context
def command(
    context: click.Context,
    mongo_url: str,
    projects: Path,
    smtp: str,
    mail_from: str,
    dashboard_url: str,
    allow_private: bool,
    every: float,
    lease: float,
    ops_host: str,
    ops_port: int,
    log_level: str,
) -> None:
    """Tell people of issues, until it is stopped. Any number may run at once; one is enough."""
    ways = Ways(smtp, mail_from, allow_private)
    if context.invoked_subcommand:
        context.obj = (projects, ways)
        return
    service.configure_logging("notify", log_level)
    stopping, file = service.stop_signal(), Reloading(projects, load_if_there)
    store = NoticeStore(mongo_url, timedelta(seconds=lease))
    running = Running(store, Notifier(store, lambda: file.get().all, ways, dashboard_url))
    with service.OpsServer(ops_host, ops_port, lambda: running.not_ready_reason):
        running.run(stopping, every)
    store.close()


@command.command()
@click.argument("project")
@click.pass_obj
def test(place: tuple[Path, Ways], project: str) -> None:
    """Send a notice to each channel of PROJECT now, and say what became of it."""
    file, ways = place
    found = load(file).by_id(project)
    if found is None or not found.notices.channels:
        raise click.UsageError(f"{file} has no notices for a project {project!r}")
    failures = 0
    for channel in found.notices.channels:
        at = datetime.now(UTC)
        title = f"{messages.TITLES['test']} of {found.name}"
        message = messages.Message(f"test:{at}", title, "It works.", {"kind": "test"})
        said = "sent"
        try:
            send(channel, message, ways)
        except CatchwaterError as error:
            failures, said = failures + 1, str(error)
        say(f"{channel.to}: {said}")
    if failures:
        raise click.ClickException(f"{failures} of {len(found.notices.channels)} were not sent")


class Running:
    """The turns of a notifier, one after the other."""

    def __init__(self, store: NoticeStore, notifier: Notifier) -> None:
        self._store = store
        self._notifier = notifier
        self._prepared = False
        self.not_ready_reason = "has not reached MongoDB yet"

    def run(self, stopping: Flag, every: float) -> None:
        """Until `stopping` is set. MongoDB may be away meanwhile."""
        while not stopping.is_set():
            try:
                self._turn()
            except UnavailableError as error:
                self.not_ready_reason = str(error)
                log.warning("waiting", why=str(error))
            stopping.wait(every)

    def _turn(self) -> None:
        if not self._prepared:
            self._store.prepare()
            self._prepared = True
        self._notifier.turn(datetime.now(UTC))
        self.not_ready_reason = ""
