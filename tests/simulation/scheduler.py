"""Runs tasks one at a time, in an order that a seed decides, by a clock of its own.

A task is a greenlet that runs until it pauses. Then another one, chosen by chance from all whose
time has come, goes on. Nothing waits in real time, and the same seed gives the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random
from zlib import crc32

from greenlet import getcurrent, greenlet

START_S = 1_000_000.0
EPOCH_S = 1_762_900_000.0
"""What the time of day is ahead of it: a sum would leave no digits for microseconds."""


class Killed(BaseException):
    """Raised where a task was paused. No `except Exception` holds it up."""


class Task:
    def __init__(self, name: str, do: Callable[[], None]) -> None:
        self.name = name
        self.wake_at = 0.0
        self.killed = False
        self._do = do
        self._greenlet = greenlet(self._run)

    @property
    def ended(self) -> bool:
        return self._greenlet.dead

    def go_on(self) -> None:
        """Until it pauses or ends. Raises what ends it, but for Killed."""
        self._greenlet.parent = getcurrent()
        self._greenlet.switch()

    def _run(self) -> None:
        with suppress(Killed):
            if not self.killed:
                self._do()


class Scheduler:
    def __init__(self, random: Random) -> None:
        self.now = START_S
        self.steps = 0
        self.trace = 0
        """A checksum of which task ran when: the same for two runs of one seed."""
        self._random = random
        self._tasks: list[Task] = []
        self._current: Task | None = None

    def now_s(self) -> float:
        return self.now

    def start(self, name: str, do: Callable[[], None]) -> Task:
        task = Task(name, do)
        task.wake_at = self.now
        self._tasks.append(task)
        return task

    def pause(self, seconds: float) -> None:
        """To be called by a task: others go on for so long. Raises Killed if it is dead by then."""
        task = self._current
        if task is None:  # what prepares and judges runs before and after, alone
            return
        task.wake_at = self.now + max(0.0, seconds)
        getcurrent().parent.switch()
        if task.killed:
            raise Killed

    def kill(self, task: Task) -> None:
        task.killed = True
        task.wake_at = self.now

    def run(self, until: Callable[[], bool], most_steps: int) -> None:
        """Raises what a task raised, and AssertionError when it does not come to its end."""
        while not until():
            assert self.steps < most_steps, f"it is not done after {most_steps} steps"
            self.step()

    def step(self) -> None:
        self.steps += 1
        first = min(task.wake_at for task in self._tasks)
        self.now = max(self.now, first)
        due = [task for task in self._tasks if task.wake_at <= self.now]
        self._give(self._random.choice(due))

    def end(self) -> None:
        """Kill every task that is left."""
        for task in self._tasks.copy():
            self.kill(task)
            while not task.ended:
                self._give(task)

    def _give(self, task: Task) -> None:
        self._current = task
        self.trace = crc32(f"{task.name} {self.now}".encode(), self.trace)
        try:
            task.go_on()
        finally:
            self._current = None
            if task.ended:
                self._tasks.remove(task)


class VirtualTime:
    """What a module calls as `time`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def monotonic(self) -> float:
        return self._scheduler.now

    perf_counter = monotonic

    def time(self) -> float:
        return EPOCH_S + self._scheduler.now


class VirtualFlag:
    """What a loop asks as a threading.Event."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._set = False

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set

    def wait(self, seconds: float) -> bool:
        self._scheduler.pause(seconds)
        return self._set
