"""`catchwater stage NAME...`: a process that runs stages of the pipeline."""

from __future__ import annotations

import importlib
import inspect
import os
import secrets
import socket
import threading
from functools import reduce
from typing import TYPE_CHECKING, Any

import click

from catchwater import options, service
from catchwater.answers import Answer, Emit, Stage
from catchwater.connection import Connection
from catchwater.event import LOSSES
from catchwater.runtime import Loop
from catchwater.streamdefs import SINK, StreamDefs, load
from catchwater.streams import Consumer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from catchwater.attempt import Work
    from catchwater.event import Event


@click.command("stage")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@options.service
@options.consumer
@options.mongo_url
@options.maps_memory
@options.projects
def command(
    names: tuple[str, ...],
    redis_url: str,
    streamdefs: Path | None,
    ops_host: str,
    ops_port: int,
    log_level: str,
    consumer: str,
    **own: Any,
) -> None:
    """Run one or more stages of the pipeline in this process, a thread each, until it is told to stop."""
    defs = load(streamdefs)
    _check_names(defs, names)
    works = {name: work_of(defs, name) for name in names}
    service.configure_logging(" ".join(names), log_level)
    configure(defs, names, own)
    stopping = service.stop_signal()
    loops = [
        loop(redis_url, defs, name, work, consumer or f"{name}-{new_name()}", stopping, warm_up_of(defs, name))
        for name, work in works.items()
    ]
    with service.OpsServer(ops_host, ops_port, lambda: trouble(loops)):
        run(loops, stopping)


def loop(
    url: str,
    defs: StreamDefs,
    stage: str,
    work: Work,
    consumer: str,
    stopping: threading.Event,
    warm_up: Callable[[], None],
) -> Loop:
    """A consumer of `stage` with a connection of its own, ready to run."""
    wait = defs.stages[stage].wait
    connection = Connection(url, patience=max(5.0, 2 * wait + 1))
    return Loop(Consumer(connection, defs, stage, consumer), work, stopping, warm_up)


def run(loops: Sequence[Loop], stopping: threading.Event) -> None:
    """Run the loops, a thread each. When one ends, for whatever reason, all end; what it raised is raised here."""
    errors: list[BaseException] = []

    def guarded(one: Loop) -> None:
        try:
            one.run()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the main thread
            errors.append(error)
        finally:
            stopping.set()

    threads = [threading.Thread(target=guarded, args=(one,)) for one in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def trouble(loops: Sequence[Loop]) -> str:
    return "; ".join(one.trouble for one in loops if one.trouble)


def new_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def work_of(defs: StreamDefs, name: str) -> Work:
    """The stage's function, or its chain of functions, over a batch."""
    chain = [errors_only(path) for path in defs.stages[name].run]
    stage = reduce(chained, chain)
    return lambda events: [stage(event) for event in events]


def warm_up_of(defs: StreamDefs, name: str) -> Callable[[], None]:
    """What loads the stage's slow parts before its first event: `warm_up` in its module, where there is one."""
    modules = [importlib.import_module(path.partition(":")[0]) for path in defs.stages[name].run]
    found = [module.warm_up for module in modules if hasattr(module, "warm_up")]

    def warm_up() -> None:
        for one in found:
            one()

    return warm_up


def configure(defs: StreamDefs, names: Sequence[str], own: Mapping[str, Any]) -> None:
    """Hand the settings that are the stages' own to `configure` in their modules, where there is one: what it asks."""
    for module in {path.partition(":")[0]: None for name in names for path in defs.stages[name].run}:
        hook = getattr(importlib.import_module(module), "configure", None)
        if hook is not None:
            hook(**{name: own[name] for name in inspect.signature(hook).parameters})


def errors_only(path: str) -> Stage:
    """The function at `module:function`. What pages left out themselves goes round it: that is no error, and has no
    facts of one. Unless its module says `TAKES_LOSSES = True`.
    """
    stage = imported(path)
    if getattr(importlib.import_module(path.partition(":")[0]), "TAKES_LOSSES", False):
        return stage
    return lambda event: Emit(event) if event.kind == LOSSES else stage(event)


def imported(path: str) -> Stage:
    """The function at `module:function`. Raises ImportError or AttributeError."""
    module, _, function = path.partition(":")
    found: Stage = getattr(importlib.import_module(module), function)
    return found


def chained(first: Stage, then: Stage) -> Stage:
    """Both in one hop: `then` sees what `first` emits. At most one of them may mark, at most one count."""

    def both(event: Event) -> Answer:
        answer = first(event)
        if not isinstance(answer, Emit):
            return answer
        last = then(answer.event)
        if not isinstance(last, Emit):
            return last
        return Emit(last.event, once=last.once or answer.once, tally=last.tally or answer.tally)

    return both


def _check_names(defs: StreamDefs, names: Sequence[str]) -> None:
    for name in names:
        if name not in defs.stages or defs.stages[name].run == [SINK]:
            known = ", ".join(one for one, stage in defs.stages.items() if stage.run != [SINK])
            raise click.BadParameter(f"there is no stage {name!r}; known: {known}", param_hint="NAME")
