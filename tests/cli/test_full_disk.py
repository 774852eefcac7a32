"""A disk without room is the user's to mend: a message, no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device that is always full")
def test_output_that_does_not_fit_is_one_message():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "trainability", "theory", "--scheme", "He", "--widths", "2"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("failed: [Errno 28] No space left") and "Trace" not in done.stderr
