"""Signals: a flag for loops that look, a limit for all else, and nothing raised in between."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from trainability import interrupts

SCRIPT = """
import os, signal, sys, threading, time
from trainability import interrupts
interrupts.GRACE_S = 1.0

def ready():
    print("ready", flush=True)

{handle}
{body}
sys.exit(interrupts.exit_code())
"""
LOOKS = """
with interrupts.orderly():
    ready()
    try:
        while True:
            interrupts.wait(60)
    except KeyboardInterrupt:
        print("in order", flush=True)
"""
LOOKS_AWAY = """
with interrupts.orderly():
    ready()
    time.sleep(100)
"""
NOTHING_TO_PUT_IN_ORDER = """
ready()
time.sleep(100)
"""
HOLDS_A_LOCK = """
lock = threading.Lock()
with interrupts.orderly():
    for number in range(3000):
        try:
            with lock:
                if number == 0:
                    ready()
                time.sleep(0.001)
        except BaseException:
            print("raised", flush=True)
            break
    print("whole", flush=True)
"""
IN_C_CODE = """
import ctypes
with interrupts.orderly():
    ready()
    ctypes.CDLL(None).sleep(100)  # Python runs no handler meanwhile
"""
KEEPS_PYTHON_S_LOCK = """
import ctypes
with interrupts.orderly():
    ready()
    while not interrupts.requested():
        time.sleep(0.01)
    ctypes.PyDLL(None).sleep(100)  # no thread of Python's runs meanwhile
"""
HANDLED_BY_A_LIBRARY = """
import ctypes
with interrupts.orderly():
    libc = ctypes.CDLL(None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        libc.signal(number, 0)  # what Ray's own code does with SIGTERM at its end: the default
    threading.Thread(target=time.sleep, args=[100], daemon=True).start()
    ready()
    try:
        while True:
            interrupts.wait(60)
    except KeyboardInterrupt:
        print("in order", flush=True)
"""
AT_EXIT = """
import atexit
atexit.register(time.sleep, 100)
atexit.register(ready)
"""
JOINS_A_THREAD = """
threading.Thread(target=time.sleep, args=[100]).start()
ready()
"""
BODIES = {
    "looks": LOOKS,
    "looks away": LOOKS_AWAY,
    "nothing to put in order": NOTHING_TO_PUT_IN_ORDER,
    "in C code": IN_C_CODE,
    "handled by a library": HANDLED_BY_A_LIBRARY,
    "at exit": AT_EXIT,
    "joins a thread": JOINS_A_THREAD,
}


def start(body, **options):
    if body in (AT_EXIT, JOINS_A_THREAD):
        code = SCRIPT.format(handle="interrupts.handle_to_the_end()", body=body)
    else:
        body = textwrap.indent(body, "    ")
        code = SCRIPT.format(handle="with interrupts.handled():", body=body)
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def end(process):
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err, err
    return process.returncode, out, err


@pytest.mark.parametrize(("name", "code"), [("INT", 130), ("TERM", 143), ("HUP", 129)])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_the_exit_code_is_128_and_the_signal_whatever_the_command_does(body, name, code):
    process = start(body)
    process.send_signal(getattr(signal, f"SIG{name}"))
    exit_code, out, err = end(process)
    assert exit_code == code
    assert ("in order" in out) == (body in (LOOKS, HANDLED_BY_A_LIBRARY))
    assert ("ended by force" in err) == (body in (LOOKS_AWAY, IN_C_CODE))


def test_code_that_keeps_python_s_lock_once_asked_is_ended_without_it():
    process = start(KEEPS_PYTHON_S_LOCK)
    process.send_signal(signal.SIGTERM)
    assert end(process)[0] == 1


def test_nothing_is_raised_in_code_that_does_not_look():
    process = start(HOLDS_A_LOCK.replace("3000", "300"))
    process.send_signal(signal.SIGTERM)
    assert end(process)[:2] == (143, "whole\n")


def test_a_second_ctrl_c_ends_at_once_but_not_one_that_a_wrapper_sent_twice():
    process = start(LOOKS_AWAY.replace("sleep(100)", "sleep(0.3)"))
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    code, _, err = end(process)
    assert code == 130 and err == ""
    process = start("interrupts.GRACE_S = 1000.0\n" + LOOKS_AWAY)
    process.send_signal(signal.SIGINT)
    time.sleep(0.8)
    process.send_signal(signal.SIGINT)
    code, _, err = end(process)
    assert code == 130 and "ended at once" in err


def test_what_is_ignored_at_the_start_stays_ignored():
    """SIGHUP under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = start(LOOKS)
    finally:
        signal.signal(signal.SIGHUP, before)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert end(process)[:2] == (143, "in order\n")


STARTS_OTHERS = """
import multiprocessing, subprocess
sleep = [sys.executable, "-c", "import time; time.sleep(100)"]
child = subprocess.Popen(sleep, preexec_fn=interrupts.unblock)
child.send_signal(signal.SIGTERM)
assert child.wait() == -signal.SIGTERM
forked = multiprocessing.get_context("fork").Process(target=time.sleep, args=[100])
forked.start()
forked.terminate()
forked.join()
assert forked.exitcode == -signal.SIGTERM
ready()
"""


IMPORTS_MLFLOW = """
import importlib.abc

class Pause(importlib.abc.MetaPathFinder):
    "In the middle of MLflow's import, whose locks are held."
    def find_spec(self, name, path, target=None):
        if name == "mlflow.tracking":
            ready()
            interrupts._state.asked.wait(60)

sys.meta_path.insert(0, Pause())
with interrupts.orderly():
    try:
        {imports}
        print("whole", flush=True)
        interrupts.check()
    except KeyboardInterrupt:
        from mlflow import MlflowClient
        print("in order", flush=True)
"""
IN_A_THREAD = """
        from types import SimpleNamespace
        from trainability import tracking
        mirror = tracking.Mirror(SimpleNamespace(name="a"), None, "sqlite://")
        mirror.add(lambda mirror: None)
        while not interrupts.requested():
            time.sleep(0.01)
        mirror.close("KILLED", hurry=True)
"""


@pytest.mark.parametrize("imports", ["from mlflow import MlflowClient", IN_A_THREAD.strip()],
                         ids=["in the main thread", "in that of the mirror"])  # fmt: skip
def test_a_signal_while_mlflow_is_imported_lets_the_import_end(imports):
    process = start("interrupts.GRACE_S = 50.0" + IMPORTS_MLFLOW.replace("{imports}", imports))
    process.send_signal(signal.SIGTERM)
    assert end(process)[:2] == (143, "whole\nin order\n")


def test_processes_that_are_started_meanwhile_can_be_ended():
    assert end(start(STARTS_OTHERS))[0] == 0


def test_handlers_and_what_is_blocked_are_put_back():
    from trainability import interrupts

    def state():
        handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        return handlers, signal.pthread_sigmask(signal.SIG_BLOCK, [])

    before = state()
    with interrupts.handled():
        assert signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, [])
        with interrupts.handled():
            pass
        assert signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert state() == before
    assert not interrupts.requested() and interrupts.exit_code() == 0


def test_every_command_handles_signals_before_it_imports_anything_large():
    """Ended while it imports, by a module that stands in for numpy and never comes back."""
    code = "import time, sys; print('ready', flush=True); time.sleep(100)"
    blocked = f"""
import sys, importlib.abc, importlib.machinery
class Blocked(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name in ("numpy", "typer", "rich"):
            return importlib.machinery.ModuleSpec(name, self)
    def create_module(self, spec): return None
    def exec_module(self, module):
        {code}
sys.meta_path.insert(0, Blocked())
from trainability.cli import main
main()
"""
    for name, code in (("INT", 130), ("TERM", 143), ("HUP", 129)):
        process = subprocess.Popen(
            [sys.executable, "-c", blocked],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ.copy(),
        )
        assert process.stdout.readline() == "ready\n"
        process.send_signal(getattr(signal, f"SIG{name}"))
        exit_code, _, err = end(process)
        assert exit_code == code and "interrupted" in err


def test_where_signals_cannot_be_blocked_ctrl_c_stays_python_s_own(monkeypatch):
    monkeypatch.delattr(signal, "pthread_sigmask")
    before = signal.getsignal(signal.SIGINT)
    with interrupts.handled(), interrupts.orderly():
        assert signal.getsignal(signal.SIGINT) == before
        interrupts.check()
