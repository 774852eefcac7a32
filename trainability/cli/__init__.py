"""The command line, one file per group of commands."""

from trainability.cli import inspect_storage, run
from trainability.cli.app import app, main

__all__ = ["app", "inspect_storage", "main", "run"]
