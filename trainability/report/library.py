"""Vega, the library that draws the interactive figure, as text to be put into a page."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from functools import cache

from trainability.cache import cached
from trainability.version import version

_CODE = """
import sys, vl_convert
code = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
sys.stdout.buffer.write(code.encode())
"""
_LONGEST_S = 120.0


class Library:
    """Vega's code, bundled by another process while this one does something else, and then kept.

    It takes a second of computing, in which `vl_convert` would hold the interpreter's lock.
    """

    def __init__(self) -> None:
        self._thread = threading.Thread(target=vega, daemon=True)
        self._thread.start()

    def text(self) -> str:
        """The code; empty if it can't be had, and then a page shows its static pictures."""
        self._thread.join(_LONGEST_S)
        return vega()


@cache
def vega() -> str:
    """Vega's code, safe inside a script element; empty if it can't be had."""
    try:
        code = cached([_CODE, version("vl-convert-python")], _bundle, ".js")
    except (OSError, subprocess.SubprocessError):
        return ""
    # Neither may stand inside a script element; in JavaScript both occur inside of texts only.
    return re.sub("<(?=/script|!--)", r"\\x3c", code.decode(), flags=re.IGNORECASE)


def _bundle() -> bytes:
    done = subprocess.run(
        [sys.executable, "-c", _CODE],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_LONGEST_S,
        check=True,
    )
    return done.stdout
