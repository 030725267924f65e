from __future__ import annotations

import random
import re
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.database import Database

from catchwater.config.streamdefs import Retention
from catchwater.issues import narrowing, words
from catchwater.issues.search import Search
from catchwater.issues.store import IssueStore
from sink.writer import MongoWriter
from tests.issues.conftest import Seen

SYLLABLES = ["on", "Click", "get", "URL", "Item", "x2", "undefined", "büro", "a", "NULL", "_id"]
BETWEEN = [" ", ".", "", "", "_", "(", ": ", "\n", "-"]


def made_up(chance: random.Random) -> str:
    parts = [chance.choice(SYLLABLES) + chance.choice(BETWEEN) for _ in range(6)]
    return "".join(parts).strip()


def written(chance: random.Random) -> list[dict[str, Any]]:
    issues = [{"message": made_up(chance), "culprit": made_up(chance)} for _ in range(200)]
    return [
        # Every twentieth is of a version that wrote no words.
        one | {"_id": str(number)} | ({"words": words.words_of(one)} if number % 20 else {})
        for number, one in enumerate(issues)
    ]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("onClickHandler", ["clickhandler", "handler", "onclickhandler"]),
        ("parseURLs x2", ["2", "parseurls", "x2"]),
        ("a-b_c", ["a", "b", "c"]),
        ("büro", [words.ALL, "b", "ro"]),
        ("x" * 50, ["x" * words.LONGEST]),
        (" ".join(map(str, range(words.MOST + 1))), [words.ALL]),
    ],
)
def test_words_begin_where_people_see_one_begin(message: str, expected: list[str]):
    assert set(words.words_of({"message": message})) >= set(expected)


def test_a_search_finds_whatever_begins_with_a_word_as_comparing_every_issue_does(
    database: Database[dict[str, Any]], mongo_url: str, monkeypatch: pytest.MonkeyPatch
):
    chance = random.Random(3)
    monkeypatch.setattr(narrowing, "FEW", 25)
    issues = written(chance)
    database.issues.insert_many(issues)
    with closing(MongoWriter(mongo_url, Retention())) as writer:
        writer.prepare()
    store = IssueStore(mongo_url)
    for one in issues:
        begin = chance.choice(
            [0, *(m.start() for m in re.finditer(r"(?<=[^a-zA-Z0-9])\w", one["message"]))]
        )
        text = one["message"][begin : begin + chance.randint(1, 12)].strip()
        found = store.find(Search(text), datetime.now(UTC), "last_seen", 0)
        every = [
            other["_id"]
            for other in issues
            if any(text.lower() in other[name].lower() for name in ("message", "culprit"))
        ]
        ids = {issue["_id"] for issue in found}
        assert one["_id"] in ids, text
        assert ids <= set(every), "nothing but what has the text"
    store.close()


def test_the_sink_writes_the_words_and_an_index_has_them(seen: Seen):
    seen("1:v1:a")
    assert seen.issue("1:v1:a")["words"] == ["error", "is", "typeerror", "undefined", "x"]
    plan = seen.database.issues.find(words.conditions("undef")[0]).explain()
    bounds = str(plan["queryPlanner"]["winningPlan"])
    assert "words_1" in bounds
    assert '["undef", "undeg")' in bounds, "and not the whole index"
