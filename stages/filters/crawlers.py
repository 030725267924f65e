"""Robots that run a site's scripts, by their user agents: the maintained list of
crawler-user-agents.

The list is loaded at the first user agent (30 ms). One that was not met lately costs 3
microseconds: RE2 looks for all of the patterns at once, where `re` tries one after the other, in
150. One of the last 4096 costs nothing. A newer list may have what RE2 does not know or what is no
pattern: then it is looked for slowly, and the stage goes on.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from catchwater import surrogates

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST = 500  # characters: time grows with length
_PEOPLES = frozenset({"http-library", "browser-automation", "monitoring"})
"""Kinds in the list that are not dropped.

Behind a relay on the site's own server (an SDK's `tunnel`), real people's errors carry the user
agent of an HTTP library. Automated browsers and monitors are mostly the site's own tests: what they
find is real.
"""


@lru_cache(maxsize=4096)
def is_crawler(user_agent: str) -> bool:
    """Whether a search engine, a preview, an archiver or another robot says so of itself."""
    text = surrogates.replaced(user_agent[:_LONGEST])
    return bool(text) and any(one.search(text) for one in _listed())


@cache
def _listed() -> list[Any]:
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # noqa: PLC0415 - 1 MB that `explain` does without

    listed = CRAWLER_USER_AGENTS_DATA
    return compiled([one["pattern"] for one in listed if _PEOPLES.isdisjoint(one.get("tags", ()))])


def compiled(patterns: Sequence[str]) -> list[Any]:
    """One for all of them, or one for each where RE2 does not take them all."""
    import re2  # noqa: PLC0415 - as the list

    with suppress(re2.error):
        return [re2.compile("|".join(f"(?:{one})" for one in patterns))]
    found = []
    for one in patterns:
        with suppress(re.error):
            found.append(re.compile(one))
    return found
