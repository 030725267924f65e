"""Runs loops, each in a thread of its own, until the process is asked to stop."""

from __future__ import annotations

import gc
import os
import secrets
import socket
import threading
from typing import TYPE_CHECKING

from catchwater.redis_client import Connection
from catchwater.streams.consumer import Consumer
from catchwater.streams.loop import Loop
from catchwater.streams.watchdog import watched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.streams.stage_loader import LoadedStage


def make_loop(
    redis_url: str,
    defs: StreamDefs,
    stage: str,
    loaded: LoadedStage,
    consumer: str,
    stopping: threading.Event,
) -> Loop:
    """Returns a loop for `stage` with its own connection. `consumer` '' takes a new name."""
    wait_s = defs.stages[stage].wait.total_seconds()
    connection = Connection(redis_url, timeout_s=max(5.0, 2 * wait_s + 1))
    name = consumer or new_consumer_name(stage)
    return Loop(Consumer(connection, defs, stage, name), loaded.work, stopping, loaded.warm_up)


def run_loops(loops: Sequence[Loop], stopping: threading.Event) -> None:
    """Run the loops until `stopping` is set. When one ends, for whatever reason, all end.

    When one hangs, the process ends at once with exit code 1. Raises the first exception that ended
    a loop.
    """
    errors: list[BaseException] = []

    def guarded(loop: Loop) -> None:
        try:
            loop.run()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the main thread
            errors.append(error)
        finally:
            stopping.set()

    threads = [threading.Thread(target=guarded, args=(loop,)) for loop in loops]
    gc.freeze()  # what lives as long as the process need not be looked through for garbage
    with watched(loops):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


def not_ready_reason(loops: Sequence[Loop]) -> str:
    """Why some loop is not working, for /readyz; '' when all are."""
    reasons = [loop.not_ready_reason or loop.slow_reason() for loop in loops]
    return "; ".join(reason for reason in reasons if reason)


def new_consumer_name(stage: str) -> str:
    """A name such as `fingerprint-host-1234-a1b2c3`, unique over all processes and machines."""
    return f"{stage}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
