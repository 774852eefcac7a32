"""The pictures of a report, drawn by this process and, on request, by another beside it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from trainability.cores import available_cores
from trainability.errors import StudyError

if TYPE_CHECKING:
    from trainability.findings.study import Findings

_SCALE = 0.93
"""Pixels of a page per pixel of a figure."""
_READY = b"ready"
_SIZE = struct.Struct("=q")
_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from trainability.report.pictures import main; main()"
)


@dataclass(frozen=True)
class Picture:
    """A figure inside a page.

    Args:
        data: A PNG file as base64 text.
        width: At which letters have the same size in all figures, in pixels.
        alt: The finding that it shows.
    """

    data: str
    width: int
    alt: str

    @classmethod
    def save(cls, drawn: Any, folder: Path, name: str) -> Picture:
        """Write a figure of `plots` to a folder, as PNG and SVG; its title is the finding."""
        from trainability import plots

        png = plots.save_all(drawn, folder, name).read_bytes()
        width = round(_SCALE * int.from_bytes(png[16:20], "big"))
        return cls(base64.b64encode(png).decode(), width, plots.title_of(drawn))


def draw_pictures(
    findings: Findings, folder: Path, helper: Helper | None = None
) -> dict[str, Picture]:
    """Draw every figure that applies, by the name of its files, in order.

    Args:
        findings: What they show.
        folder: Where they are written, as PNG and SVG.
        helper: Draws some of them meanwhile.
    """
    from trainability.report.figures import drawings

    makers = drawings(findings)
    left = deque(makers)
    drawn: dict[str, Picture] = {}
    with contextlib.ExitStack() as stack:
        if helper is not None:
            stack.enter_context(helper.drawing(findings, folder, left, drawn))
        while left:
            name = left.popleft()
            drawn[name] = Picture.save(makers[name](), folder, name)
    for name in makers:
        if name not in drawn:  # the helper could not
            drawn[name] = Picture.save(makers[name](), folder, name)
    return {name: drawn[name] for name in makers}


def helping() -> contextlib.AbstractContextManager[Helper | None]:
    """A helper for a while, if this process may use more than one CPU."""
    return Helper() if available_cores() > 1 else contextlib.nullcontext()


class Helper:
    """Another process that draws, for one report: it loads what it needs as soon as it is made.

    What it can't do, for whatever reason, it leaves undone; it ends with this process.
    """

    def __init__(self) -> None:
        self._is_ready = False
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CODE, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Helper:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()

    @contextlib.contextmanager
    def drawing(
        self, findings: Findings, folder: Path, left: deque[str], drawn: dict[str, Picture]
    ) -> Iterator[None]:
        """While it lasts, draw what stands last in a queue; at its end, wait for the last one.

        Args:
            findings: What the pictures show.
            folder: Where they are written.
            left: The names of those that nobody draws yet; what is drawn is taken out.
            drawn: Gets the pictures by their names.
        """
        thread = threading.Thread(
            target=self._draw, args=[findings, folder, left, drawn], name="pictures", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            if not self._is_ready:  # all is drawn, and it would only now begin
                self._process.kill()
            thread.join()

    def _draw(
        self, findings: Findings, folder: Path, left: deque[str], drawn: dict[str, Picture]
    ) -> None:
        from trainability.launch.shipping import pickled

        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        with contextlib.suppress(OSError, EOFError, StudyError, IndexError):
            _send(stdin, pickled((findings, folder)))
            self._is_ready = _receive(stdout) == _READY
            while self._is_ready:
                name = left.pop()
                _send(stdin, name.encode())
                drawn[name] = pickle.loads(_receive(stdout))


def main() -> None:
    """Draw for the process that has started this one, until it closes its end."""
    from trainability import plots
    from trainability.report.figures import drawings

    for name in plots.__all__:  # loaded while there is nothing to draw yet
        getattr(plots, name)

    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a user's code prints is no answer
    with contextlib.suppress(EOFError, OSError):
        findings, folder = pickle.loads(_receive(sys.stdin.buffer))
        makers = drawings(findings)
        _send(answers, _READY)
        while True:
            name = _receive(sys.stdin.buffer).decode()
            _send(answers, pickle.dumps(Picture.save(makers[name](), folder, name)))


def _send(stream: IO[bytes], data: bytes) -> None:
    stream.write(_SIZE.pack(len(data)) + data)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes:
    head = stream.read(_SIZE.size)
    if len(head) < _SIZE.size:
        raise EOFError
    (size,) = _SIZE.unpack(head)
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
