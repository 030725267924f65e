"""The section `filters` of a project: which events are dropped as noise.

The reasons stand in docs/filters.md.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from catchwater.config.globs import Glob

OLDEST = {
    "Chrome": 63,
    "Chrome Mobile": 63,
    "Edge": 79,
    "Firefox": 67,
    "Firefox Mobile": 68,
    "IE": 12,
    "IE Mobile": 12,
    "Mobile Safari": 12,
    "Opera": 50,
    "Opera Mini": 1_000,
    "Opera Mobile": 50,
    "Safari": 12,
    "Samsung Internet": 8,
    "UC Browser": 13,
    "Android": 63,
}
"""The oldest version of each browser that still counts with `legacy_browsers: true`, by
ua-parser's names.

About what is too old for `import()` and object spread. No version of IE and of Opera Mini counts.
"""


class Filters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    extensions: bool = Field(
        default=True, description="drop what code of browser extensions throws"
    )
    injected_scripts: bool = Field(
        default=True,
        description="drop what is known to come from scripts that apps and proxies put into pages",
    )
    resize_observer: bool = Field(
        default=True, description="drop the notice that a ResizeObserver will go on later"
    )
    crawlers: bool = Field(
        default=True, description="drop what search engines and other robots meet"
    )
    script_error: bool = Field(
        default=False,
        description=("drop 'Script error.' without a stack: an error of another origin's script"),
    )
    localhost: bool = Field(
        default=False, description="drop what happens on a developer's machine: localhost, file:"
    )
    legacy_browsers: bool = Field(
        default=False, description="drop what browsers older than `oldest_browsers` send"
    )
    oldest_browsers: dict[str, int] = Field(
        default=OLDEST,
        description="the oldest version of each browser that `legacy_browsers` lets pass",
    )
    allowed_scripts: list[Glob] = Field(
        default_factory=list,
        description=(
            "where the site's scripts are, such as https://*.shop.example/*; what others "
            "throw is dropped"
        ),
    )
    messages: list[Glob] = Field(
        default_factory=list,
        description="drop errors with such a message, or such a type and message: *googletag*",
    )
    pages: list[Glob] = Field(
        default_factory=list, description="drop what happens on such pages: https://*/preview/*"
    )
    in_page: bool = Field(
        default=True,
        description=(
            "let the snippet apply `messages`, `pages` and `allowed_scripts` already; "
            "false: nobody can read them in the script"
        ),
    )


DEFAULT = Filters()
