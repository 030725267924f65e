"""The process that reads functions off sources. Started by `scope_reader`."""

from __future__ import annotations

import sys
from typing import Any

from catchwater.sourcemaps.child_process import serve
from catchwater.sourcemaps.scopes import read_functions


def answer(question: dict[str, Any], source: bytes) -> tuple[dict[str, Any], bytes]:
    table = read_functions(source, question["file"])
    return {"table": None if table is None else table.as_json()}, b""


if __name__ == "__main__":
    serve(answer, sys.stdin.buffer, sys.stdout.buffer)
