"""Which files a function reads: their content can't be told apart when it changes."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trainability.installed import is_installed

_CODE = {".py", ".pyc", ".so", ".pyd", ".dll", ".dylib"}
_NOT_DATA = ("/proc", "/sys", "/dev", "/etc", "/usr", "/lib", sys.prefix, sys.base_prefix)
_ASKED = threading.local()


@contextlib.contextmanager
def files_read() -> Iterator[list[str]]:
    """Collects the data files that this thread opens to read, as far as Python is told of them.

    Code, and what is installed, is not among them.
    """
    _listen()
    before, files = getattr(_ASKED, "files", None), []
    _ASKED.files = files
    try:
        yield files
    finally:
        _ASKED.files = before


@functools.cache
def _listen() -> None:
    sys.addaudithook(_on_event)  # Python can't remove one


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or (files := getattr(_ASKED, "files", None)) is None:
        return
    path, mode, flags = arguments
    is_read = "r" in mode if isinstance(mode, str) else not flags & (os.O_WRONLY | os.O_RDWR)
    if isinstance(path, str | bytes) and is_read:
        file = Path(os.path.abspath(os.fsdecode(path)))
        outside = not is_installed(file) and not any(map(file.is_relative_to, _NOT_DATA))
        if outside and file.suffix not in _CODE and str(file) not in files:
            files.append(str(file))
