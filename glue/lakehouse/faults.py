"""Named points of a job where a crash test kills the process.

A test sets CDC_KILL_AT=<point>[:<nth time>]; in production the variable is unset and every point is a no-op.
"""

import os
import signal

_seen: dict[str, int] = {}


def reached(point: str) -> None:
    """Marks that the job has come to `point`; kills this process with SIGKILL when a crash test asked for it."""
    wanted, _, nth = os.environ.get("CDC_KILL_AT", "").partition(":")
    if wanted != point:
        return
    _seen[point] = _seen.get(point, 0) + 1
    if _seen[point] >= int(nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
