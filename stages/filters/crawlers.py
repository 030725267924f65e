"""Robots that run a site's scripts, by their user agents: the maintained list of
crawler-user-agents.

The list is loaded at the first user agent (30 ms). One that was not met lately costs about 150
microseconds, one of the last 4096 nothing.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

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
    return bool(user_agent) and _pattern().search(user_agent[:_LONGEST]) is not None


@cache
def _pattern() -> re.Pattern[str]:
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # noqa: PLC0415 - 1 MB that `explain` does without

    patterns = (
        one["pattern"]
        for one in CRAWLER_USER_AGENTS_DATA
        if _PEOPLES.isdisjoint(one.get("tags", ()))
    )
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
