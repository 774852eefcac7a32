"""Launching within the test's own process, with somebody who listens instead of MLflow."""

import io

from rich.console import Console

from trainability.launch import Options, launch
from trainability.storage import Storage


class Listening:
    """Stands in for the MLflow mirror and remembers what it was told."""

    def __init__(self):
        self.done, self.started, self.failed = [], [], {}

    def cell_started(self, cell, at):
        self.started.append(cell.id)

    def cell_done(self, cell):
        self.done.append(cell.id)

    def cell_failed(self, cell, why):
        self.failed[cell.id] = why


def run(study, storage, **options):
    """Launch all cells of a study; the outcome, what the mirror heard, what the user saw."""
    mirror = Listening()
    text = io.StringIO()
    cells = {cell.id: cell for cell in study.cells()}
    outcome = launch(
        study.name,
        cells,
        dict.fromkeys(cells, study.n_blocks),
        storage if isinstance(storage, Storage) else Storage(storage),
        mirror,
        Options(**options),
        Console(file=text, width=200),
    )
    return outcome, mirror, text.getvalue()
