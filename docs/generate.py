"""Writes the pages that are generated from the code: `python docs/generate.py`.

A test fails while one of them is stale.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel

from catchwater import metrics
from catchwater.commands.cli import catchwater, commands
from catchwater.config import streamdefs
from catchwater.config.code import Code
from catchwater.config.filters import Filters
from catchwater.config.grouping_rules import Match, Rule
from catchwater.config.notices import Channel, Notices
from catchwater.config.projects import Project
from catchwater.config.scrubbing import Private
from catchwater.config.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic.fields import FieldInfo

DOCS = Path(__file__).parent
GENERATED = "<!-- generated from the code by docs/generate.py: edit the code, not this page -->\n"

SETTINGS = (
    "Durations have a unit: ms, s, m, h or d. `catchwater check` finds every mistake at once.\n"
)
PROJECTS = "`projects` is a list. Running services read the file again within seconds.\n"
EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration.\n"


def pages() -> dict[str, str]:
    """The text of each generated page, by its file name."""
    return {
        "streamdefs.md": streamdefs_page(),
        "metrics.md": metrics_page(),
        "commands.md": commands_page(),
    }


def streamdefs_page() -> str:
    """Every setting of `streamdefs.yaml` and of `projects.yaml`, with its default."""
    shipped = streamdefs.packaged().read_text(encoding="utf-8")
    inherited = dict.fromkeys(streamdefs.Pace.model_fields, "as in `defaults`")
    parts = [
        f"# streamdefs.yaml and projects.yaml\n\n{GENERATED}\n{SETTINGS}",
        f"## streamdefs.yaml\n\nThe pipeline that ships:\n\n```yaml\n{shipped}```\n",
        _table("The whole file", streamdefs.StreamDefs),
        _table("Each of `streams`", streamdefs.StreamDef),
        _table("Each of `stages`", streamdefs.StageDef, inherited),
        _table("`defaults`", streamdefs.Pace),
        _table("`retention`", streamdefs.Retention),
        f"## projects.yaml\n\n{PROJECTS}",
        _table("Each of `projects`", Project),
        _table("`filters`", Filters, about="See [filters.md](filters.md)."),
        _table(
            "Each of `fingerprints`",
            Rule,
            about="See [grouping.md](grouping.md#rules-of-your-own).",
        ),
        _table("`match`", Match),
        _table("`notices`", Notices, about="See [notices.md](notices.md)."),
        _table("Each of its `channels`", Channel),
        _table("`code`", Code, about="See [grouping.md](grouping.md#whose-code)."),
        _table("`private`", Private, about="See [privacy.md](privacy.md#for-one-project)."),
    ]
    return "\n".join(parts)


def _table(
    title: str, model: type[BaseModel], inherited: Mapping[str, str] | None = None, about: str = ""
) -> str:
    """A row for each field of `model`. `inherited` has the defaults that come from elsewhere."""
    rows = [f"### {title}\n", *([f"{about}\n"] if about else [])]
    rows += ["| setting | default | |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        default = (inherited or {}).get(name) or _default(field)
        rows.append(f"| `{name}` | {default} | {_escaped(field.description or '')} |")
    return "\n".join(rows) + "\n"


def _escaped(text: str) -> str:
    """`text` for a cell of a table: `*` and `|` stand for themselves."""
    return text.replace("*", r"\*").replace("|", r"\|")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "see its table"
    if value is None or value in ([], ""):
        return "none"
    return f"`{_as_yaml(value)}`"


def _as_yaml(value: Any) -> str:
    """A default in the form in which people write it: `30s`, `true`, `{Chrome: 63}`."""
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, bool | dict):
        text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000)
        return text.removesuffix("...\n").strip()
    return f"{value}"


def metrics_page() -> str:
    """Every metric, with its labels and its help text."""
    rows = [
        f"# Metrics\n\n{GENERATED}\n| metric | labels | meaning, and what to do |",
        "|---|---|---|",
    ]
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            family = next(iter(metric.describe()))
            suffix = "_total" if family.type == "counter" else ""
            labels = _labels(metric._labelnames)  # noqa: SLF001 - it has no public name
            rows.append(f"| `{family.name}{suffix}` | {labels} | {family.documentation} |")
    for name, (meaning, label_names) in (metrics.PIPELINE | metrics.PROJECTS).items():
        rows.append(f"| `{name}` | {_labels(label_names)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _labels(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def commands_page() -> str:
    """The help text of every command and subcommand."""
    parts = [f"# Commands\n\n{GENERATED}\n{EXIT_CODES}"]
    context = click.Context(
        catchwater, info_name="catchwater", terminal_width=100, **catchwater.context_settings
    )
    for name in sorted(commands()):
        command = catchwater.get_command(context, name)
        if command and not command.hidden:
            parts += _command(command, _context(command, name, context))
    return "\n".join(parts)


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    text = command.get_help(context).strip()
    yield f"## {context.command_path}\n\n```\n{text}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if sub := command.get_command(context, name):
                yield from _command(sub, _context(sub, name, context))


def _context(command: click.Command, name: str, parent: click.Context) -> click.Context:
    return click.Context(
        command, info_name=name, parent=parent, terminal_width=100, max_content_width=100
    )


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    for page, text in pages().items():
        (folder / page).write_text(text, encoding="utf-8")
