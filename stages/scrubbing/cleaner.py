"""What is removed for one project: the built-in kinds that it does not exempt, and its own
patterns and names.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from catchwater.config import scrubbing
from catchwater.config.globs import any_matches
from stages.scrubbing import optional, texts
from stages.scrubbing.marking import marked
from stages.scrubbing.secret_names import is_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from catchwater.config.scrubbing import Private

SHORT = 500
"""Characters of a text that is remembered with what became of it: most texts of an event come
again and again.
"""


class Cleaner:
    """Cleans texts. `is_secret(name)` says whether a field of that name holds a secret."""

    def __init__(self, private: Private = scrubbing.DEFAULT) -> None:
        self.is_secret = _judge(private)
        self._steps = texts.steps(self.is_secret, frozenset(private.keep))
        self._steps += [step for kind, step in optional.STEPS.items() if kind in private.also]
        if private.patterns:
            self._steps.append(_own(private.patterns))
        self._remembered = lru_cache(maxsize=4096)(self._counted)

    def clean(self, text: str, found: Counter[str]) -> str:
        """`text` without what is private. `found` counts what was taken out, by kind."""
        cleaned, taken = self._remembered(text) if len(text) <= SHORT else self._counted(text)
        if taken:
            found.update(taken)
        return cleaned

    def _counted(self, text: str) -> tuple[str, dict[str, int]]:
        found: Counter[str] = Counter()
        for step in self._steps:
            text = step(text, found)
        return text, dict(found)


def _judge(private: Private) -> Callable[[str], bool]:
    if "secret" in private.keep:
        return lambda _: False
    if not (private.fields or private.public_fields):
        return is_secret

    @lru_cache(maxsize=4096)
    def judge(name: str) -> bool:
        return not any_matches(private.public_fields, name) and (
            is_secret(name) or any_matches(private.fields, name)
        )

    return judge


def _own(patterns: list[str]) -> texts.Step:
    """The project's own patterns.

    RE2 and not `re`: whatever the pattern and the text, its time is linear.
    """
    import re2  # noqa: PLC0415 - most projects have none

    compiled: list[Any] = [re2.compile(pattern) for pattern in patterns]

    def own(text: str, found: Counter[str]) -> str:
        for pattern in compiled:
            text = marked(pattern, "[private]", "private", text, found)
        return text

    return own


DEFAULT = Cleaner()
"""For a project that says nothing."""
