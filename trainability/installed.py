"""Whether a file is of an installed package, or somebody's own."""

from __future__ import annotations

import functools
import sysconfig
from pathlib import Path

_PACKAGES = {"site-packages", "dist-packages"}
"""Folders of installed packages: also of environments that this one may see, such as a user's or
the system's."""


def is_installed(path: str | Path) -> bool:
    """Whether it is of Python itself, of this package, or of one that is installed."""
    path = Path(path)
    return not _PACKAGES.isdisjoint(path.parts) or any(map(path.is_relative_to, _folders()))


@functools.cache
def _folders() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    own = Path(__file__).parent
    return own, *(Path(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
