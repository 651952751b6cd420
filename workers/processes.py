"""Facts about running processes, read from /proc: is it still there, which folder is it in, and end it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_POLL_S = 0.02


def started(pid: int) -> str | None:
    """When the process began (clock ticks since boot, as text); None when there is none, or only its zombie.

    Together with the pid this names one process for ever, also when the pid is used again.
    """
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else fields[19]


def inhabitants(folder: Path, *programs: str) -> list[int]:
    """The processes of these programs (their names begin so) whose working folder is this one."""
    here = os.path.realpath(folder)
    found = []
    for entry in _PROC.iterdir() if known() else ():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):  # gone meanwhile, or somebody else's
            if os.readlink(entry / "cwd") != here or not started(int(entry.name)):
                continue
            if Path(os.readlink(entry / "exe")).name.startswith(programs):
                found.append(int(entry.name))
    return found


def known() -> bool:
    """Whether this system tells about its processes (/proc, so Linux)."""
    return (_PROC / "self" / "stat").exists()


def end(pids: Iterable[int], number: signal.Signals, seconds: float, *, group: bool = False) -> list[int]:
    """Signal the processes (or their groups) and wait; returns those that are still there after `seconds`."""
    begun = {pid: started(pid) for pid in pids}
    for pid, since in begun.items():
        if since is None:
            continue
        with suppress(ProcessLookupError):
            os.killpg(pid, number) if group else os.kill(pid, number)
    deadline = time.monotonic() + seconds
    while True:
        left = [pid for pid, since in begun.items() if since and started(pid) == since]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(_POLL_S)
