from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from catchwater.config.streamdefs import load
from catchwater.redis_client import Connection
from tests.growth.partitions import KINDS, Sized, write
from tests.pipelines import event, pipeline  # noqa: F401 - fixtures of this folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(params=KINDS)
def of(
    request: pytest.FixtureRequest, redis_url: str, tmp_path: Path
) -> Iterator[Callable[[int], Sized]]:
    """The pipeline as processes see it that know so many partitions."""
    connection, made = Connection(redis_url), {}

    def make(partitions: int) -> Sized:
        if partitions not in made:
            path = write(tmp_path, request.param, partitions)
            made[partitions] = Sized(redis_url, load(path), connection)
        return made[partitions]

    yield make
    for each in (connection, *(one for sized in made.values() for one in sized.opened)):
        each.close()
