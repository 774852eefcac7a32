"""How a command ends when it is asked to: Ctrl-C, SIGTERM, SIGHUP.

A signal raises nothing in whatever code happens to run, which may hold an import lock or a mutex of
somebody else's. It sets a flag that our own loops look at. A thread that does nothing else sees to
it that the process ends: at once where nothing is to be put in order, else within `GRACE_S`.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator

GRACE_S = 20.0
"""How long an orderly end may take; batch systems kill after 30 seconds."""
_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_REPEATED_S = 0.5
"""A second Ctrl-C within this time is the first one, sent twice by a wrapper such as `uv run`."""
_STOP = b"\0"
_SHOW_CURSOR = "\x1b[?25h"


class _State:
    """What all of the process knows of its end."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.asked = threading.Event()
        self.orderly = 0
        self.handlers: dict[int, object] = {}


_state = _State()


def requested() -> bool:
    """Whether a signal has asked for the end."""
    return _state.signal is not None


def exit_code() -> int:
    """128 and the number of the signal, as shells have it; 0 if there was none."""
    return 0 if _state.signal is None else 128 + _state.signal


def check() -> None:
    """Raise KeyboardInterrupt if the end was asked for; loops of ours call it."""
    if requested():
        raise KeyboardInterrupt


def wait(seconds: float) -> None:
    """Sleep, but raise KeyboardInterrupt as soon as the end is asked for."""
    _state.asked.wait(seconds)
    check()


@contextlib.contextmanager
def orderly() -> Iterator[None]:
    """While it lasts the command ends in order, where it looks at the flag; else at once.

    Raises:
        KeyboardInterrupt: If the end was asked for already.
    """
    _state.orderly += 1
    try:
        check()
        yield
    finally:
        # Once asked, the end stays orderly up to the very last line.
        if not requested():
            _state.orderly -= 1


@contextlib.contextmanager
def handled() -> Iterator[None]:
    """Handle signals in this way; in the main thread only, elsewhere it does nothing.

    Signals that are ignored already, SIGHUP under nohup say, stay ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    chosen = [number for number in _SIGNALS if before[number] != signal.SIG_IGN]
    _state.__init__()
    _state.handlers = dict.fromkeys(chosen, _note)
    # Written to by Python's own C code, also while the main thread is in a long call.
    wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=[reading], name="interrupts", daemon=True)
    watcher.start()
    restore()
    try:
        yield
    finally:
        for number in chosen:
            signal.signal(number, before[number])
        signal.set_wakeup_fd(wakeup)
        os.write(writing, _STOP)
        watcher.join(1.0)
        os.close(writing)
        _state.handlers = {}


def restore() -> None:
    """Put our handlers back in place, where a library has put its own."""
    if threading.current_thread() is threading.main_thread():
        for number, handler in _state.handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]


def _note(number: int, frame: object) -> None:
    # The watcher does the rest; it was told before.
    _state.signal = _state.signal or number


def _watch(reading: int) -> None:
    """Wait for signals; end the process where nobody else does."""
    first = None
    while True:
        left = None if first is None else max(0.0, first + GRACE_S - time.monotonic())
        ready, _, _ = select.select([reading], [], [], left)
        if not ready:
            _end(f"did not end within {GRACE_S:.0f} s, ended by force")
        for number in os.read(reading, 64):
            if number == _STOP[0]:
                os.close(reading)
                return
            if number not in _SIGNALS or number not in _state.handlers:
                continue
            now = time.monotonic()
            if first is None:
                first = now
                _state.signal = number
                _state.asked.set()
                if number == getattr(signal, "SIGHUP", None):
                    _leave_terminal()
                if not _state.orderly:
                    _end("interrupted")
            elif number == signal.SIGINT and now - first > _REPEATED_S:
                _end("ended at once")


def _leave_terminal() -> None:
    """Write nothing any more to a terminal that is gone: every line would raise an error."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            if os.isatty(descriptor):
                os.dup2(nowhere, descriptor)


def _end(why: str) -> None:
    cursor = _SHOW_CURSOR if sys.stderr is not None and os.isatty(2) else ""
    with contextlib.suppress(OSError):
        os.write(2, f"{cursor}{why}\n".encode())
    os._exit(exit_code())
