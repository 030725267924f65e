"""Makes the pages that are made from the code: `python docs/generate.py`. A test says when they are stale."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel

from catchwater import metrics, streamdefs
from catchwater.cli import COMMANDS, catchwater
from catchwater.filters import Filters
from catchwater.projects import Project
from catchwater.renaming import Match, Rule
from catchwater.units import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parent
MADE = "<!-- made by docs/generate.py from the code -->\n"
DURATIONS = {"wait", "claim_after", "once_for", "samples", "hours", "maps", "issues"}


def pages() -> dict[str, str]:
    """The pages by name."""
    return {"streamdefs.md": streamdefs_page(), "metrics.md": metrics_page(), "commands.md": commands_page()}


def streamdefs_page() -> str:
    shipped = streamdefs.packaged().read_text(encoding="utf-8")
    parts = [
        f"# streamdefs.yaml and projects.yaml\n\n{MADE}\nThe pipeline that ships:\n\n```yaml\n{shipped}```\n",
        "Durations have a unit: ms, s, m, h or d. `catchwater check` finds every mistake at once.\n",
        _table("streams.NAME", streamdefs.StreamDef),
        _table("stages.NAME", streamdefs.StageDef),
        _table("defaults", streamdefs.Pace),
        _table("retention", streamdefs.Retention),
        _table("the whole file", streamdefs.StreamDefs),
        "# projects.yaml\n",
        _table("each of `projects`", Project),
        _table("filters", Filters),
        _table("each of `fingerprints`", Rule),
        _table("match", Match),
    ]
    return "\n".join(parts)


def _table(title: str, model: type[BaseModel]) -> str:
    rows = [f"## {title}\n", "| setting | default | |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else _default(name, field.get_default(call_default_factory=True))
        rows.append(f"| `{name}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def _default(name: str, value: Any) -> str:
    if isinstance(value, BaseModel):
        return "see above"
    if value is None or value == []:
        return "none"
    return f"`{spelled(value)}`" if name in DURATIONS and isinstance(value, float) else f"`{value}`"


def metrics_page() -> str:
    rows = [f"# Metrics\n\n{MADE}\n| metric | labels | meaning, and what to do |", "|---|---|---|"]
    own = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    for one in own:
        family = next(iter(one.describe()))
        suffix = "_total" if family.type == "counter" else ""
        rows.append(f"| `{family.name}{suffix}` | {_labels(one._labelnames)} | {family.documentation} |")  # noqa: SLF001 - no other way to ask
    for name, (meaning, labels) in metrics.PIPELINE.items():
        rows.append(f"| `{name}` | {_labels(labels)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _labels(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def commands_page() -> str:
    parts = [f"# Commands\n\n{MADE}\nExit codes: 0 done, 1 failed, 2 wrong arguments or configuration.\n"]
    context = click.Context(catchwater, info_name="catchwater", terminal_width=100, max_content_width=100)
    for name in COMMANDS:
        command = catchwater.get_command(context, name)
        if command and not command.hidden:
            parts += _command(command, _inside(command, name, context))
    return "\n".join(parts)


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    text = command.get_help(context).strip()
    yield f"## {context.command_path}\n\n```\n{text}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if sub := command.get_command(context, name):
                yield from _command(sub, _inside(sub, name, context))


def _inside(command: click.Command, name: str, parent: click.Context) -> click.Context:
    return click.Context(command, info_name=name, parent=parent, terminal_width=100, max_content_width=100)


if __name__ == "__main__":
    for page, text in pages().items():
        (DOCS / page).write_text(text, encoding="utf-8")
