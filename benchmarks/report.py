"""Figures with what they are compared to, as lines for people and as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from statistics import median


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
        return self.value / median(self.reference) if self.reference else None

    def line(self) -> str:
        text = f"{self.name:<44}{self.value:>12,.0f} {self.unit:<12}"
        if self.reference:
            text += f" reference {median(self.reference):>10,.0f}   ratio {self.ratio:.2f}"
        if self.mark is not None:
            sign = "<" if self.lower_is_better else ">="
            text += f"   mark {sign} {self.mark:g}"
        if len(self.runs) > 1:
            text += f"   ({min(self.runs):,.0f} to {max(self.runs):,.0f})"
        return text


def machine() -> str:
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"{platform.system()}"
    )


def shown(figures: list[Figure], *, as_json: bool) -> str:
    if as_json:
        found = [asdict(one) | {"value": one.value, "ratio": one.ratio} for one in figures]
        return json.dumps({"machine": machine(), "figures": found}, indent=2)
    return "\n".join([machine(), *(one.line() for one in figures)])
