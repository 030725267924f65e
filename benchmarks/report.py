"""Figures with what they are compared to, as lines for people and as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

KEEP = "Append the figures to this file, as a line of JSON."
"""The help text of the option `--keep`."""


@dataclass
class Figure:
    """One thing that was measured. Higher is better unless `lower_is_better`."""

    name: str
    unit: str
    runs: list[float]
    reference: list[float] = field(default_factory=list)
    mark: float | None = None
    """What is to be reached: of the ratio where there is a reference, else of the figure."""
    lower_is_better: bool = False

    @property
    def value(self) -> float:
        return median(self.runs)

    @property
    def ratio(self) -> float | None:
        """None without a reference, and where that is too small to be seen."""
        return self.value / median(self.reference) if any(self.reference) else None

    def line(self, width: int = 0) -> str:
        """`width`: of the names of all."""
        text = f"{self.name:<{width}}{_number(self.value):>12} {self.unit:<12}"
        if self.reference:
            text += f" reference {_number(median(self.reference)):>10}"
        if self.ratio is not None:
            text += f"   ratio {self.ratio:.2f}"
        if self.mark is not None:
            sign = "<" if self.lower_is_better else ">="
            text += f"   mark {sign} {self.mark:g}"
        if len(self.runs) > 1:
            text += f"   ({_number(min(self.runs))} to {_number(max(self.runs))})"
        return text


def _number(value: float) -> str:
    """Three digits of it at least: an idle process takes less than one per cent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def machine() -> str:
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"{platform.system()}"
    )


def shown(figures: list[Figure], *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"machine": machine(), "figures": _listed(figures)}, indent=2)
    width = max((len(one.name) for one in figures), default=0)
    return "\n".join([machine(), *(one.line(width) for one in figures)])


def _listed(figures: list[Figure]) -> list[dict[str, object]]:
    return [asdict(one) | {"value": one.value, "ratio": one.ratio} for one in figures]


def keep(figures: list[Figure], file: Path) -> None:
    """Append a line of JSON to a file: the figures, when, of which commit and on what machine, and
    how busy that was when they were done, so that runs can be compared.
    """
    found = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "load": os.getloadavg(),
        "figures": _listed(figures),
    }
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(found) + "\n")


def commit() -> str:
    """That this code is of, with `+` behind it where files differ; '' where that is not known."""
    git, folder = shutil.which("git"), Path(__file__).parent
    if not git:
        return ""
    command = [git, "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.strip()
