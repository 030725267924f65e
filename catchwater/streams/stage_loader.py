"""Loads the functions that `run: module:function` names in streamdefs.yaml."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from catchwater.answers import Answer, Drop, Emit, StageFunction
from catchwater.errors import StageImportError
from catchwater.event import CLIENT_REPORT, Event
from catchwater.stage import Stage, StageEnvironment
from catchwater.streams.sample_bodies import samples_wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from catchwater.config.streamdefs import StreamDefs
    from catchwater.streams.processing import Work

Resources = dict["Callable[[StageEnvironment], Any]", Any]
"""What stages have opened, by the function that opened it: shared by all stages of a process."""


class LoadedStage(NamedTuple):
    """A stage that is ready to run: its work, and what to call before the first batch."""

    work: Work
    warm_up: Callable[[], None]


def load_stages(
    defs: StreamDefs, names: Sequence[str], environment: StageEnvironment | None
) -> dict[str, LoadedStage]:
    """Returns the stages of these names, and opens the resources that they need.

    Stages that declare the same `open_resources` share what it returns. Without an `environment`
    nothing is opened: tests and benchmarks run the functions alone.

    Raises StageImportError, and ConfigError where `projects.yaml` is wrong.
    """
    opened: Resources = {}
    if environment is not None:
        samples = samples_wanted(defs, names, import_stage)
        environment = replace(environment, samples=samples)
    return {name: _load_stage(defs.stages[name].run, environment, opened) for name in names}


def _load_stage(
    run: Sequence[str], environment: StageEnvironment | None, opened: Resources
) -> LoadedStage:
    declared = [import_stage(path) for path in run]
    function = reduce(chain, [_bound(stage, environment, opened) for stage in declared])
    warm_ups = [stage.warm_up for stage in declared if stage.warm_up]

    def work(events: Sequence[Event]) -> list[Answer]:
        return [function(event) for event in events]

    def warm_up() -> None:
        for hook in warm_ups:
            hook()

    return LoadedStage(work, warm_up)


def import_stage(path: str) -> Stage:
    """Returns the stage at `module:function`. A plain function becomes a stage without hooks.

    Raises StageImportError, also for any exception that the module itself raises.
    """
    module, _, name = path.partition(":")
    try:
        target = getattr(importlib.import_module(module), name)
    except Exception as error:
        raise StageImportError(f"{path!r} cannot be imported: {error}") from error
    if not callable(target):
        raise StageImportError(f"{path!r} is not a function")
    return target if isinstance(target, Stage) else Stage(target)


def _bound(stage: Stage, environment: StageEnvironment | None, opened: Resources) -> StageFunction:
    """The stage as a function of an event alone. Client reports skip it unless it handles them."""
    function: StageFunction = stage.function
    open_resources = stage.open_resources
    if open_resources is not None and environment is not None:
        if open_resources not in opened:
            opened[open_resources] = open_resources(environment)
        function = _with_resources(stage.function, opened[open_resources])
    return function if stage.handles_client_reports else _errors_only(function)


def _with_resources(function: Callable[..., Answer], resources: Any) -> StageFunction:
    return lambda event: function(event, resources)


def _errors_only(function: StageFunction) -> StageFunction:
    return lambda event: Emit(event) if event.kind == CLIENT_REPORT else function(event)


def chain(first: StageFunction, then: StageFunction) -> StageFunction:
    """Both in one hop: `then` sees what `first` emits. At most one of them may mark, one count."""

    def both(event: Event) -> Answer:
        answer = first(event)
        if not isinstance(answer, Emit):
            return answer
        last = then(answer.event)
        if isinstance(last, Drop):
            return replace(last, once=last.once or answer.once)
        if not isinstance(last, Emit):
            return last
        return Emit(last.event, once=last.once or answer.once, tally=last.tally or answer.tally)

    return both
