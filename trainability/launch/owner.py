"""Which process a file on storage belongs to, and whether that is over."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path
from typing import Any

import psutil


def owner(pid: int) -> dict[str, Any]:
    """A process of this machine, as the files that it writes name it."""
    return {"machine": machine(), "pid": pid, "begun": _begun(pid)}


def is_over(record: Any) -> bool:
    """Whether the process of a record is known to have ended.

    Whether one of another machine lives can't be seen from here.
    """
    if not isinstance(record, dict) or record.get("machine") != machine():
        return False
    pid = record.get("pid")
    return isinstance(pid, int) and {**record, **owner(pid)} != record


def is_here(record: Any) -> bool:
    """Whether the process of a record is one of this machine, which can be seen."""
    return isinstance(record, dict) and record.get("machine") == machine()


def machine() -> list[str]:
    """The machine since it was started, and which processes can be seen on it."""
    parts = [platform.node()]
    for read in (
        lambda: Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        lambda: os.readlink("/proc/self/ns/pid"),
    ):
        with contextlib.suppress(OSError):
            parts.append(read())
    return parts


def _begun(pid: int) -> str | None:
    """When a process began, in whatever unit its system counts; None if there is none."""
    try:
        # In ticks since the machine was started: no clock that is set changes it.
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
        try:
            return str(psutil.Process(pid).create_time())
        except psutil.Error:
            return None
    state, *fields = text.rpartition(")")[2].split()
    return None if state in ("Z", "X") else fields[18]
