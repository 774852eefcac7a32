"""How a command ends when it is asked to: Ctrl-C, SIGTERM, SIGHUP.

A signal raises nothing in whatever code happens to run, which may hold an import lock or a mutex of
somebody else's. It is blocked in every thread, so that no handler runs at all, also none that a
library has put in the place of ours; Ray does so, in C++, while it starts and when it ends. A
thread that does nothing else waits for it, sets a flag that our own loops look at, and sees to it
that the process ends: at once where nothing is to be put in order, else within `GRACE_S`.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

GRACE_S = 20.0
"""How long an orderly end may take; batch systems kill after 30 seconds."""
_LOCKED_S = 2.0
"""How much longer, where Python's own thread can't end it."""
_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_REPEATED_S = 0.5
"""A second Ctrl-C within this time is the first one, sent twice by a wrapper such as `uv run`."""
_SHOW_CURSOR = "\x1b[?25h"


class _State:
    """What all of the process knows of its end."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.asked = threading.Event()
        self.asked_at = 0.0
        self.orderly = 0
        self.handled: tuple[int, ...] = ()
        self.thread: int | None = None
        self.stopped = False


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


def request() -> None:
    """Ask for the end from within, as SIGTERM does from outside.

    Where signals are not handled here, in a notebook say, nothing but the flag is set: the process
    goes on, and `forget` takes it back.
    """
    if _state.handled and _state.orderly:
        _ask(int(signal.SIGTERM))
    elif _state.signal is None:
        _state.signal, _state.asked_at = int(signal.SIGTERM), time.monotonic()
        _state.asked.set()


def forget() -> None:
    """Take back what `request` has asked for, where the process goes on."""
    if not _state.handled:
        _state.signal = None
        _state.asked.clear()


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
    """Handle signals in this way; in the main thread and once, else it does nothing.

    To be entered before another thread is started, which inherits what is blocked. Signals that
    are ignored already, SIGHUP under nohup say, stay ignored. Where signals can't be blocked, on
    Windows, Python's own Ctrl-C stays.
    """
    can_block = hasattr(signal, "pthread_sigmask") and hasattr(signal, "sigwait")
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not can_block or not in_main_thread or _state.handled:
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    chosen = tuple(number for number in _SIGNALS if before[number] != signal.SIG_IGN)
    if not chosen:
        yield
        return
    _state.__init__()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, chosen)
    _state.handled = chosen
    for number in chosen:
        # For a thread that was there before us, and blocks nothing.
        signal.signal(number, lambda number, frame: _ask(number))
    watcher = threading.Thread(target=_watch, name="interrupts", daemon=True)
    watcher.start()
    _state.thread = watcher.native_id
    try:
        yield
    finally:
        _state.stopped, _state.thread = True, None
        assert watcher.ident is not None
        signal.pthread_kill(watcher.ident, chosen[0])
        watcher.join()
        _state.handled = ()
        for number in chosen:
            signal.signal(number, before[number])
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def waiting_thread() -> int | None:
    """The system's number of the thread that waits for signals; None if they are not handled.

    It blocks them but for while it waits, so that another process can see whether it came back.
    """
    return _state.thread


def handle_to_the_end() -> None:
    """Handle signals until nothing of the process is left to end, its `atexit` functions say."""
    handling = contextlib.ExitStack()
    handling.enter_context(handled())
    atexit.register(handling.close)  # the first one, which runs last


def unblock() -> None:
    """Let a process that was forked, or is about to be another program, get signals again.

    To be called there, as `preexec_fn` of a process that is to be ended by SIGTERM.
    """
    if _state.handled:
        for number in _state.handled:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _state.handled)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=unblock)


def _watch() -> None:
    """Wait for signals."""
    while True:
        number = signal.sigwait(_state.handled)
        if _state.stopped:
            return
        _ask(number)


def _ask(number: int) -> None:
    """Ask for the end, and see to it that it comes where nobody else does."""
    now = time.monotonic()
    if _state.signal is None:
        _end_without_python()  # before anyone can see the flag, and go where no Python runs
        _state.signal, _state.asked_at = number, now
        if number == getattr(signal, "SIGHUP", None):
            _leave_terminal()
        if not _state.orderly:
            _end("interrupted")
        why = f"did not end within {GRACE_S:.0f} s, ended by force"
        limit = threading.Timer(GRACE_S, _end, [why])
        limit.daemon = True
        limit.start()
        _state.asked.set()
    elif number == signal.SIGINT and now - _state.asked_at > _REPEATED_S:
        _end("ended at once")


def _end_without_python() -> None:
    """See to it that the end comes where a library's own code keeps Python's lock by then.

    By a thread that needs no lock; all it can say is that the command failed, by exit code 1.
    """
    with contextlib.suppress(OSError):
        faulthandler.dump_traceback_later(
            GRACE_S + _LOCKED_S, exit=True, file=os.open(os.devnull, os.O_WRONLY)
        )


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
