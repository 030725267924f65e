"""Who may send, and what a project wants done with its events:

`projects.yaml`, read by every service but the sink.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from catchwater.config import code, filters, notices, scrubbing
from catchwater.config.code import Code
from catchwater.config.filters import Filters
from catchwater.config.grouping_rules import Rule
from catchwater.config.notices import Notices
from catchwater.config.origins import Origin
from catchwater.config.scrubbing import Private
from catchwater.config.yaml_errors import Document
from catchwater.errors import ProjectChangeError
from catchwater.event import PROBES
from catchwater.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

KEY = "^[0-9a-f]{32}$"

MOST_OLD_KEYS = 10

LONGEST_NAME = 100
"""Characters of what people call a project."""

PUBLIC_URL = r"^https?://[A-Za-z0-9._:\[\]-]+(/[A-Za-z0-9._~%@+-]*)*$"
"""How browsers reach ingest: https://errors.example or https://shop.example/assets/cw.

ASCII: what a browser sends, not what it shows.
"""

_PUBLIC_URL = re.compile(PUBLIC_URL)


def public_url(address: str) -> str:
    """`address` without a slash at its end; '' stays ''. Raises ValueError."""
    if address and not _PUBLIC_URL.fullmatch(address):
        raise ValueError(
            f"{redacted(address[:200])!r} is no address of ingest: it begins with https:// (or "
            "http://), then a host, and a path if there is one; no query, no spaces; write a host "
            "of other letters as xn--..."
        )
    return address.rstrip("/")


class Project(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: str = Field(pattern=r"^[0-9]{1,10}$", description="digits: it stands in the DSN")
    name: str = Field(min_length=1, max_length=LONGEST_NAME, description="what people call it")
    key: str = Field(
        pattern=KEY,
        description="32 lower-case hex digits; public: it stands in the page",
    )
    old_keys: list[Annotated[str, Field(pattern=KEY)]] = Field(
        default_factory=list,
        max_length=MOST_OLD_KEYS,
        description=(
            "keys that are accepted besides: those in pages and DSNs from before "
            "`catchwater project rotate`"
        ),
    )
    origins: list[Origin] = Field(
        default_factory=list,
        description=(
            "who may send: https://shop.example, https://*.shop.example, "
            "shop.example on any scheme and port, file://, null; empty: every page may"
        ),
    )
    url: str | None = Field(
        None,
        pattern=PUBLIC_URL,
        description=(
            "how this project's pages reach ingest, such as "
            "https://shop.example/assets/cw; else --public-url"
        ),
    )
    rate: float | None = Field(
        None, gt=0, description="events a second that are accepted, for each ingest process"
    )
    disabled: bool = Field(
        default=False,
        description="true: everything it sends is refused, and browsers are asked to stop",
    )
    filters: Filters = Field(
        default=filters.DEFAULT, description="which events are dropped as noise: see below"
    )
    fingerprints: list[Rule] = Field(
        default_factory=list,
        description="rules that name issues otherwise, the first that matches wins: see below",
    )
    code: Code = Field(
        default=code.DEFAULT,
        description="which files are its own code, where their names mislead: see below",
    )
    private: Private = Field(
        default=scrubbing.DEFAULT,
        description="what is taken out of events besides the usual, and what is not: see below",
    )

    notices: Notices = Field(
        default=notices.NONE, description="who is told of its issues, and when: see below"
    )

    @property
    def keys(self) -> list[str]:
        """All keys it may be sent with, the newest first."""
        return [self.key, *self.old_keys]

    def ingest_url(self, public_url: str) -> str:
        """Where this project's pages find ingest: its own address, else that of all, else ''."""
        return (self.url or public_url).rstrip("/")


class Projects:
    """The projects of one file."""

    def __init__(self, projects: Iterable[Project]) -> None:
        self.all = list(projects)
        self._by_key = {key: project for project in self.all for key in project.keys}
        self._by_id = {project.id: project for project in self.all}

    def by_key(self, key: str) -> Project | None:
        return self._by_key.get(key)

    def by_id(self, project_id: str) -> Project | None:
        return self._by_id.get(project_id)


def load(path: Path) -> Projects:
    """The projects in `path`. Raises `Mistaken` with every mistake."""
    document = Document(path, "`catchwater project add NAME` makes it, --projects names another")
    listed = document.data.get("projects")
    if not isinstance(listed, list):
        document.wrong(("projects",), f"a list of projects is needed, not {type(listed).__name__}")
        listed = []
    for key in set(document.data) - {"projects"}:
        document.wrong((key,), "unknown setting; known: projects")
    found = [document.build(Project, one, ("projects", i)) for i, one in enumerate(listed)]
    projects = [project for project in found if project is not None]
    _all_differ(document, "id", [[project.id] for project in projects])
    _all_differ(document, "key", [project.keys for project in projects])
    document.finish()
    return Projects(projects)


def load_if_there(path: Path) -> Projects:
    """The projects in `path`, none if there is no such file.

    Raises `Mistaken` with every mistake.
    """
    return load(path) if path.exists() else Projects([])


def add(path: Path, name: str) -> Project:
    """A new project with a free id and a new key, written to `path` (made if there is none)."""
    known = load(path).all if path.exists() else []
    number = max((int(project.id) for project in known), default=0) + 1
    project = Project(id=str(number), name=name, key=secrets.token_hex(16))  # type: ignore[call-arg] # the rest has defaults
    _write(path, [*known, project])
    return project


def add_probes(path: Path) -> Project:
    """The project of probes, written to `path` unless it is there."""
    known = load(path).all if path.exists() else []
    if there := next((one for one in known if one.id == PROBES), None):
        return there
    project = Project(id=PROBES, name="probes", key=secrets.token_hex(16))  # type: ignore[call-arg] # the rest has defaults
    _write(path, [*known, project])
    return project


def rotate(path: Path, project_id: str) -> Project:
    """Give a project a new key; the old ones stay valid until `drop_key`.

    Raises ProjectChangeError for another id, or where there would be too many.
    """
    old = _listed(path, project_id)
    if len(old.old_keys) >= MOST_OLD_KEYS:
        raise ProjectChangeError(
            f"project {project_id} has {MOST_OLD_KEYS} old keys in {path}: take one out with "
            f"`catchwater project drop-key {project_id} {old.old_keys[-1]}`"
        )
    return _replace(path, old, {"key": secrets.token_hex(16), "old_keys": old.keys})


def drop_key(path: Path, project_id: str, key: str) -> Project:
    """Refuse an old key of a project from now on. Raises ProjectChangeError for any other."""
    old = _listed(path, project_id)
    if key not in old.old_keys:
        raise ProjectChangeError(
            f"{key[:100]!r} is no old key of project {project_id} in {path}; "
            f"there: {', '.join(old.old_keys) or 'none'}"
        )
    return _replace(path, old, {"old_keys": [one for one in old.old_keys if one != key]})


def _listed(path: Path, project_id: str) -> Project:
    projects = load(path)
    if one := projects.by_id(project_id):
        return one
    there = ", ".join(one.id for one in projects.all) or "none"
    raise ProjectChangeError(f"{project_id[:100]!r} is no project of {path}; there: {there}")


def _replace(path: Path, old: Project, changes: dict[str, Any]) -> Project:
    new = Project.model_validate(_plain(old) | changes)
    _write(path, [new if one.id == old.id else one for one in load(path).all])
    return new


def _write(path: Path, projects: Iterable[Project]) -> None:
    written = [_plain(one) for one in projects]
    fresh = path.with_suffix(".new")
    fresh.write_text(
        yaml.safe_dump({"projects": written}, sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    fresh.replace(path)


def _plain(project: Project) -> dict[str, Any]:
    return project.model_dump(exclude_unset=True)


def _all_differ(document: Document, name: str, values: list[list[str]]) -> None:
    """`values` are those of each project."""
    owners: dict[str, int] = {}
    for i, value in ((i, value) for i, own in enumerate(values) for value in own):
        if value in owners:
            document.wrong(
                ("projects", i, name), f"{value!r} is taken by project number {owners[value] + 1}"
            )
        owners.setdefault(value, i)
