"""Whether a process still runs, and whether a number still means the same process."""

import os
from pathlib import Path


def started(pid: int) -> str:
    """When a process began, in the kernel's own count; '' when it is not running."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[19]
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _without_proc(pid)


def _without_proc(pid: int) -> str:
    try:
        os.kill(pid, 0)
    except OSError:
        return ""
    return "running"
