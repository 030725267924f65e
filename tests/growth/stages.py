"""Stages in the place of those that have nothing to do with partitions."""

from __future__ import annotations

from catchwater import Drop, Emit, Event


def passing(event: Event) -> Emit:
    return Emit(event)


def dropping(_event: Event) -> Drop:
    return Drop("aside")
