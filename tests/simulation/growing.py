"""A run in which the partitions are doubled, by a command that is killed and run again."""

from __future__ import annotations

from functools import partial
from typing import Any

from catchwater.errors import RefusedError, UnavailableError
from catchwater.streams.growing import Growth
from tests.simulation.processes import run_stage
from tests.simulation.scheduler import Task, VirtualFlag
from tests.simulation.servers import SimulatedConnection
from tests.simulation.world import PIPELINE, World

GROWING = PIPELINE.replace("partitions: 2", "partitions: 5")
"""The smallest number that can grow."""


class GrowingWorld(World):
    """Whatever starts after the growth has begun knows the new number; ingest runs on."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._grown = self._defs.model_copy(update={"partitions": 2 * self._defs.partitions})
        self._growth: Task | None = None
        self._is_fenced = False

    def _strikes(self) -> list[Any]:
        return [*super()._strikes(), *[self._grow] * 3]

    def _grow(self) -> None:
        """Begin to, or kill who does and begin again."""
        if self._growth and not self._growth.ended:
            self._weather.seen["kill of growth"] += 1
            self._scheduler.kill(self._growth)
        self._defs = self._grown
        self._growth = self._scheduler.start("growth", self._run_growth)

    def _run_growth(self) -> None:
        while True:
            try:
                connection = SimulatedConnection(self._wire, self._weather)
                for _ in Growth(connection, self._grown).steps():
                    self._is_fenced = True
                    self._weather.pause()
            except UnavailableError:
                self._scheduler.pause(0.3)
            else:
                self._weather.seen["growth"] += 1
                return

    def _settle(self) -> None:
        """Also where Redis fell back to the time before."""
        self._grow()
        assert self._growth
        while not self._growth.ended:
            self._scheduler.pause(0.1)

    def _fall_back(self) -> None:
        """To a state from the fence on. Whoever waits for replicas has that on all of them; what
        else had been counted before, but not there, might be counted elsewhere once more.
        """
        self._grow()
        while not self._is_fenced:
            self._scheduler.pause(0.01)
        super()._fall_back()

    def _start_stage(self, name: str) -> None:
        flag = VirtualFlag(self._scheduler)
        self._stages[name] = self._scheduler.start(name, partial(self._watched, name, flag)), flag

    def _watched(self, name: str, flag: VirtualFlag) -> None:
        """Started again whenever it ends by itself, with what the file says by then."""
        stage = name.rpartition("-")[0]
        while not flag.is_set():
            try:
                run_stage(self._wire, self._defs, stage, name, self._weather, flag)
            except RefusedError:
                self._weather.seen["refused to go on"] += 1
                self._scheduler.pause(0.5)

    def _is_read(self, stage: str) -> bool:
        try:
            return super()._is_read(stage)
        except RefusedError:  # a stream is still to be made
            return False
