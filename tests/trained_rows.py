"""Rows of networks that were trained, for tests of what a law alone can't make."""

from collections.abc import Iterable
from pathlib import Path

from synthetic_rows import MADE

from trainability.storage import Storage
from trainability.study import Cell, Study
from trainability.trial import Runtime, run_trial


def trained(study: Study, folder: Path, cells: Iterable[Cell] | None = None) -> Storage:
    """A storage with a block of every cell, or of some."""
    storage = Storage(folder)
    for cell in study.cells() if cells is None else cells:
        rows, made = run_trial(study.name, cell, [0], Runtime())
        storage.write_rows(study.name, rows, MADE | made)
    return storage
