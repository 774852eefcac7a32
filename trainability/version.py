"""Versions of this package and of others, also where nothing is installed.

This package may run from a source tree, or from a folder that Ray has copied to a worker: its own
version therefore stands here, and is read from here when it is built.
"""

from __future__ import annotations

import sys

__version__ = "0.1.0"

UNKNOWN = "unknown"


def version(package: str) -> str:
    """The version of a package by the name under which it is installed; `unknown` if none is told.

    >>> version("no-such-package")
    'unknown'
    """
    if package == "trainability":
        return __version__
    from importlib import metadata  # takes longer than all else that the package needs to load

    try:
        installed = metadata.version(package)
    except (metadata.PackageNotFoundError, KeyError, ValueError):  # or its metadata are damaged
        installed = None
    # Imported from a source tree of its own.
    module = sys.modules.get(package.replace("-", "_"))
    return str(installed or getattr(module, "__version__", UNKNOWN))
