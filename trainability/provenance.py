"""What was run: commit, versions, machine; recorded beside the results, never part of them."""

from __future__ import annotations

import platform
import subprocess

from trainability.version import UNKNOWN, version

_PACKAGES = (
    "trainability", "numpy", "scipy", "torch", "numba", "pandas", "pyarrow", "ray", "mlflow",
    "optuna",
)  # fmt: skip


def describe_environment() -> dict[str, str]:
    """The git commit of the current folder, whether its tree was dirty, and package versions."""
    commit = _git("rev-parse", "HEAD")
    environment = {
        "git_commit": commit or "none: not in a git repository",
        "git_dirty": str(bool(_git("status", "--porcelain"))) if commit else "unknown",
        "python": platform.python_version(),
    }
    for package in _PACKAGES:
        number = version(package)
        if number != UNKNOWN:
            environment[f"version_{package}"] = number
    return environment


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
