"""The command line, one file per group of commands."""

from trainability.cli import bench, census, inspect_storage, run, theory, tune
from trainability.cli.app import app, main

__all__ = ["app", "bench", "census", "inspect_storage", "main", "run", "theory", "tune"]
