"""What grouping makes of the lab's captures, in figures."""

from __future__ import annotations

import json
import lzma
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from itertools import combinations
from math import comb
from typing import Any, NamedTuple

from stages.commands.explain import explain
from tests.lab.building import Mistake, mistakes
from tests.lab.capturing import CAPTURES, ENGINES

Names = dict[str, dict[str, dict[str, str]]]
"""Fingerprints by variant, engine and mistake."""


class Share(NamedTuple):
    """So many of so many, and which are not among them."""

    met: int
    of: int
    others: tuple[str, ...] = ()

    @property
    def percent(self) -> float:
        return 100 * self.met / self.of


@cache
def captures() -> dict[str, Any]:
    """What `make lab` wrote."""
    found: dict[str, Any] = json.loads(lzma.decompress(CAPTURES.read_bytes()))
    return found


@cache
def fingerprints() -> Names:
    """Each capture's, as `catchwater explain` says it."""
    return {
        variant: {
            engine: {name: _fingerprint(report) for name, report in reports.items()}
            for engine, reports in engines.items()
        }
        for variant, engines in captures()["captures"].items()
    }


def _fingerprint(report: dict[str, Any]) -> str:
    text = json.dumps(report).encode("utf-8", "surrogatepass")
    return str(explain(text)["fingerprint"])


def in_three_engines(variant: str, chosen: Callable[[Mistake], bool] = lambda _: True) -> Share:
    """Mistakes that each engine reports, and those of them that are one issue."""
    found = fingerprints()[variant]
    names = [
        one.name
        for one in mistakes()
        if chosen(one) and all(one.name in found[engine] for engine in ENGINES)
    ]
    return _share(names, lambda name: len({found[engine][name] for engine in ENGINES}) == 1)


def in_two_builds(build: str) -> Share:
    """Mistakes in one engine, and those that are one issue before a deploy and behind it."""
    before, behind = fingerprints()[build + "A"], fingerprints()[build + "B"]
    pairs = [(engine, name) for engine in ENGINES for name in before[engine]]
    return _share(
        [f"{engine} {name}" for engine, name in pairs if name in behind[engine]],
        lambda pair: _at(before, pair) == _at(behind, pair),
    )


def _at(side: dict[str, dict[str, str]], pair: str) -> str:
    engine, _, name = pair.partition(" ")
    return side[engine][name]


def merged(variant: str) -> Share:
    """Pairs of two mistakes in one file and engine, and those of different kinds that are one
    issue: that is wrong.
    """
    kinds = {one.name: one.kind for one in mistakes()}
    wrong, pairs = [], 0
    for engine in ENGINES:
        issues = defaultdict(list)
        for name, fingerprint in fingerprints()[variant][engine].items():
            issues[fingerprint].append(name)
        pairs += comb(len(fingerprints()[variant][engine]), 2)
        for names in issues.values():
            wrong += [
                f"{engine} {one} {two}"
                for one, two in combinations(names, 2)
                if kinds[one] != kinds[two]
            ]
    return Share(len(wrong), pairs, tuple(wrong))


def _share(names: Iterable[str], is_met: Callable[[str], bool]) -> Share:
    names = list(names)
    others = tuple(name for name in names if not is_met(name))
    return Share(len(names) - len(others), len(names), others)
