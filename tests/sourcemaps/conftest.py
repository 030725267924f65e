from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pymongo import MongoClient

from catchwater.sourcemaps.cache import MapCache
from catchwater.sourcemaps.store import MapStore
from tests.sourcemaps import bundles
from tests.sourcemaps.indexed import READER


@pytest.fixture(scope="session", autouse=True)
def _reader_ends() -> Iterator[None]:
    yield
    READER.close()


@pytest.fixture
def mongo(mongo_url: str) -> Iterator[str]:
    """A MongoDB without any maps."""
    with MongoClient[dict[str, object]](mongo_url) as client:
        client.drop_database("catchwater")
    return mongo_url


@pytest.fixture
def maps(mongo: str) -> Iterator[MapCache]:
    """The maps as the stage has them; a test says `look` where the stage's thread would."""
    with closing(MapStore(mongo)) as store:
        yield MapCache(store, 32 * 2**20)


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same shop built twice: by esbuild, and later, with more code, by rollup and terser."""
    found = {}
    for name, entry, build in (
        ("one", bundles.ENTRY, bundles.by_esbuild),
        ("two", bundles.LATER, bundles.by_rollup),
    ):
        folder = tmp_path_factory.mktemp(name)
        (folder / "dist").mkdir()
        build(bundles.source(folder, entry), folder / "dist" / "shop.js")
        found[name] = folder / "dist"
    return found
