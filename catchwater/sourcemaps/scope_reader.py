"""Asks another process which functions a source has.

A source may take its parser quadratic time, or crash it. So the parser has a process of its own,
which is killed when it does not answer in time.
"""

from __future__ import annotations

from catchwater.sourcemaps.child_process import Child
from catchwater.sourcemaps.function_index import FunctionTable

PATIENCE_S = 30.0
"""Seconds for one source by the clock."""

FIRST_S = 0.5
EACH_BYTE_S = 3e-6
"""Seconds of CPU that an answer may take: real sources take 0.15 for each MB. Not seconds of a
clock, or a busy machine would cost real sources their names.
"""


class ScopeReader(Child):
    """Its process is started at the first question. To be used by one thread, and closed."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        super().__init__("catchwater.sourcemaps.scope_process", patience_s)

    def read(self, source: bytes, file: str) -> FunctionTable | None:
        """As `scopes.read_functions` says it.

        Raises SourceUnreadableError when the process dies of it, or takes too long.
        """
        limit = FIRST_S + EACH_BYTE_S * len(source)
        told, _ = self.ask({"file": file}, source, limit)
        table = told["table"]
        return None if table is None else FunctionTable.from_json(table)
