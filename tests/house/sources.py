"""The project's own files, as its house rules see them."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = ("ingest", "stages", "sink", "dashboard")
PACKAGES = ("catchwater", *SERVICES)


def files(*folders: str) -> list[Path]:
    """Their Python files, as paths from the project's root."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path.relative_to(ROOT) for path in found if "node_modules" not in path.parts)


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def imported(module: ast.Module) -> set[str]:
    """Dotted names of everything it imports, inside functions and for types too."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, (
                f"relative import in line {node.lineno}: the borders are seen best by full names"
            )
            found.add(node.module or "")
    return found


def tops(module: ast.Module) -> set[str]:
    """The packages it imports from."""
    return {name.partition(".")[0] for name in imported(module)}
