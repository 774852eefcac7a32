"""The pictures of a report, drawn by this process and, on request, by another beside it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainability.findings.study import Findings
    from trainability.report.helper import Helper

_SCALE = 0.93
"""Pixels of a page per pixel of a figure."""
_LONG = ("census",)
"""Figures of so many panels that a helper begins with them."""


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


@dataclass(frozen=True)
class _Drawing:
    """Draws the figures of a report by their names; whoever gets it pickled can, too."""

    findings: Findings
    folder: Path

    def __reduce__(self) -> tuple[type, tuple[Findings, Path]]:
        return type(self), (self.findings, self.folder)  # the makers are each process's own

    @cached_property
    def makers(self) -> dict[str, Callable[[], Any]]:
        from trainability.report.figures import drawings

        return drawings(self.findings)

    def __call__(self, name: str) -> Picture:
        return Picture.save(self.makers[name](), self.folder, name)


def draw_pictures(
    findings: Findings, folder: Path, helper: Helper | None = None
) -> dict[str, Picture]:
    """Draw every figure that applies, by the name of its files, in order.

    Args:
        findings: What they show.
        folder: Where they are written, as PNG and SVG.
        helper: Draws some of them meanwhile.
    """
    draw = _Drawing(findings, folder)
    names = sorted(draw.makers, key=lambda name: name in _LONG)
    drawn = map(draw, names) if helper is None else helper.map(draw, names)
    pictures = dict(zip(names, drawn, strict=True))
    return {name: pictures[name] for name in draw.makers}
