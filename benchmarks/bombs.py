"""`python -m benchmarks.bombs`: what requests that are bombs cost ingest, and who else waits.

Each is sent a few times at once, while a page of another project goes on posting.
"""

from __future__ import annotations

import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catchwater.local.servers import RedisServer
from tests.ingest.bombs import BOMBS, Bomb
from tests.ingest.conftest import Ingest, made

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER = "/e/" + "a" * 32
"""The address of another project."""

AT_ONCE = 4
ROUNDS = 3


@click.command()
def main() -> None:
    """Print a line for each bomb, the first one for nothing but the page that posts."""
    with tempfile.TemporaryDirectory() as name:
        server = RedisServer(Path(name) / "redis")
        server.start()
        try:
            with made(server.url, Path(name)) as ingest:
                for line in table(ingest):
                    click.echo(line)
        finally:
            server.stop()


def table(ingest: Ingest) -> Iterator[str]:
    yield f"{'bomb':<36}{'bytes in':>12}{'status':>8}{'memory at most':>16}{'longest wait':>14}"
    quiet = Bomb(OTHER, lambda: b"{}")
    for name, bomb in {"none": quiet, **BOMBS}.items():
        body = bomb.make()
        ingest.forget_peak()
        with others_posting(ingest) as waits, ThreadPoolExecutor(AT_ONCE) as clients:
            posts = [
                clients.submit(ingest.post, bomb.path, body, bomb.headers)
                for _ in range(AT_ONCE * ROUNDS)
            ]
            statuses = {post.result().status for post in posts}
        shown = "/".join(map(str, sorted(statuses)))
        memory, longest = ingest.peak_memory() / 1e6, max(waits) * 1000
        yield f"{name:<36}{len(body):>12,}{shown:>8}{memory:>13,.0f} MB{longest:>11,.0f} ms"


@contextmanager
def others_posting(ingest: Ingest) -> Iterator[list[float]]:
    """Seconds that each post of another project waited for its answer, all of them 204."""
    waits: list[float] = []
    stopping = threading.Event()

    def go() -> None:
        while not stopping.is_set() or len(waits) < 3:
            started = time.perf_counter()
            if (status := ingest.post(OTHER, "{}").status) != 204:
                raise click.ClickException(f"another project's post was answered {status}")
            waits.append(time.perf_counter() - started)

    with ThreadPoolExecutor(1) as client:
        posting = client.submit(go)
        yield waits
        stopping.set()
        posting.result()


if __name__ == "__main__":
    main()
