"""Bodies of events that cannot become samples are left out, where nobody on the way reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from catchwater.config.streamdefs import StreamDefs, load
from catchwater.streams.sample_bodies import samples_wanted
from catchwater.streams.stage_loader import import_stage
from tests.waiting import wait_until
from tests.whole_pipeline import DEFS, WAIT_S, Whole, whole_pipeline

REPORT = {
    "type": "TypeError",
    "message": "cart lost",
    "stack": "TypeError: cart lost\n    at pay (https://shop.example/app.js:3:5)",
    "page": "https://shop.example/cart",
    "breadcrumbs": [{"message": "x" * 400}] * 20,
}


def with_stages(folder: Path, **changed: dict[str, object]) -> StreamDefs:
    document = yaml.safe_load(DEFS)
    for name, settings in changed.items():
        document["stages"].setdefault(name, {}).update(settings)
        if emitted := settings.get("emits"):
            document["streams"].setdefault(emitted, {})
    (folder / "streamdefs.yaml").write_text(yaml.safe_dump(document))
    return load(folder / "streamdefs.yaml")


def wanted(defs: StreamDefs) -> tuple[int, int] | None:
    """The first ones of each partition, and those of each hour; None: all."""
    found = samples_wanted(defs, ["fingerprint"], import_stage)
    return found and (found.first, found.hourly)


def test_of_the_pipeline_that_ships_a_few_more_than_become_samples(tmp_path: Path):
    assert wanted(with_stages(tmp_path)) == (1250, 625)
    assert wanted(load()) == (25, 4)
    chained = ["stages.dedupe:dedupe", "stages.count:count"]
    assert wanted(with_stages(tmp_path, dedupe={"run": chained})) == (1250, 625)


@pytest.mark.parametrize(
    "own",
    [
        {"own": {"run": "tests.streams.body_stages:reads", "reads": "named", "emits": "read"}},
        {"own": {"run": "not.there:stage", "reads": "named", "emits": "read"}},
    ],
    ids=["reads bodies", "is not installed"],
)
def test_all_where_a_stage_on_the_way_reads_bodies_or_cannot_be_looked_at(own, tmp_path: Path):
    assert wanted(with_stages(tmp_path, **own, dedupe={"reads": "read"})) is None


def test_a_stage_behind_it_in_the_same_hop_counts_too(tmp_path: Path):
    run = ["stages.fingerprint:fingerprint", "tests.streams.body_stages:reads"]
    assert wanted(with_stages(tmp_path, fingerprint={"run": run})) is None
    assert wanted(with_stages(tmp_path, fingerprint={"run": run[::-1]})) == (1250, 625)


@pytest.fixture
def whole(redis_url: str, mongo_url: str, tmp_path: Path) -> Iterator[Whole]:
    defs = DEFS.replace("1000/h", "5/h")
    with whole_pipeline(redis_url, mongo_url, tmp_path, defs) as one:
        yield one


def test_a_storm_is_counted_to_the_last_event_and_has_its_samples(whole: Whole):
    whole.send(REPORT, 600)
    wait_until(lambda: sum(whole.events().values()) == 600, "all are stored", WAIT_S)
    whole.send(REPORT | {"type": "RangeError"}, 3)
    wait_until(lambda: sum(whole.events().values()) == 603, "all are stored", WAIT_S)
    assert sorted(whole.events().values()) == [3, 600]
    found = whole.database.samples.aggregate([{"$group": {"_id": "$issue", "n": {"$sum": 1}}}])
    assert sorted(one["n"] for one in found) == [3, 2 * 5]
    assert whole.database.samples.count_documents({"event": b""}) == 0
