"""Under `make run` the terminal is lent to Catchwater, so that Ctrl-C drains it and make ends with its exit code.

make would take Ctrl-C for itself and end with an error, whatever its command does about it.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from catchwater.embedded import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def lent_by_make() -> Iterator[None]:
    """Be the terminal's foreground job, as a shell would arrange it; nothing changes without make or a terminal."""
    lender = os.getpgrp()
    under_make = os.environ.get("MAKELEVEL") and lender != os.getpid()
    if not under_make or not sys.stdin.isatty() or os.tcgetpgrp(0) != lender:
        yield
        return
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # or the kernel would stop whoever hands the terminal over
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    die_with_parent(signal.SIGTERM)
    try:
        yield
    finally:
        os.tcsetpgrp(0, lender)
