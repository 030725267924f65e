"""Takes the terminal from `make run`, so that Ctrl-C drains Catchwater and make ends with its code.

Otherwise make would react to Ctrl-C itself, and end with an error whatever its command does.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from catchwater.local.servers import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def borrowed_from_make() -> Iterator[None]:
    """Become the terminal's foreground job, as a shell would arrange it.

    Nothing changes without make or a terminal.
    """
    owner = os.getpgrp()
    under_make = os.environ.get("MAKELEVEL") and owner != os.getpid()
    if not under_make or not sys.stdin.isatty() or os.tcgetpgrp(0) != owner:
        yield
        return
    # Without this the kernel would stop the process that gives the terminal away.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    die_with_parent(signal.SIGTERM)
    try:
        yield
    finally:
        os.tcsetpgrp(0, owner)
