"""What takes long to make and depends on nothing but its key, kept on disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

_DIGEST_BYTES = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """Where it is kept: $TRAINABILITY_CACHE, or a folder in the user's cache."""
    chosen = os.environ.get("TRAINABILITY_CACHE")
    if chosen:
        return Path(chosen)
    user = os.environ.get("XDG_CACHE_HOME")
    return (Path(user) if user else Path.home() / ".cache") / "trainability"


def cached(key: Sequence[str], make: Callable[[], bytes], suffix: str = ".o") -> bytes:
    """What `make` gives for this key, kept on disk. A damaged file counts as missing.

    Args:
        key: All that it depends on.
        make: Makes it; what it raises is raised, and nothing is kept.
        suffix: Of the file.
    """
    path = cache_folder() / f"{hashlib.sha256(chr(10).join(key).encode()).hexdigest()}{suffix}"
    with contextlib.suppress(OSError):
        stored = path.read_bytes()
        digest, code = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
        if hashlib.sha256(code).digest() == digest:
            return code
    code = make()
    with contextlib.suppress(OSError):  # A folder that can't be written costs time, no more.
        write_whole(path, hashlib.sha256(code).digest() + code)
    return code


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, whoever else writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.replace(temporary, path)
